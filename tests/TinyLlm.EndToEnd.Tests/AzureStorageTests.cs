using System.Net;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>The embedded host on a storage account: it answers as it does on files, outlives SIGKILL, and says what is damaged.</summary>
public sealed class AzureStorageTests(Azurite azurite)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Host_OnAnAccount_AnswersAsOnFilesAndOutlivesAKill()
    {
        string connection = await azurite.ConnectAsync(Cancel);
        string[] arguments = ["--urls", "http://127.0.0.1:0", "--TinyLlm:Storage:ConnectionString", connection];
        GreedyCase wanted = Stories.GreedyCases()[1];
        using HttpClient probe = new();
        await using RunningHost host = await RunningHost.StartNewAsync(probe, arguments);
        using UserClient before = await UserClient.CreateAsync(host, "alice");

        // 1. Push, and the text of the reference; nothing of a model lies on the host's disk, and nothing in the account is readable.
        await before.UploadStoriesAsync();
        await before.UploadStoriesAsync("other");
        Assert.Equal(wanted.NewText, await before.CompleteAsync("stories", wanted.Prompt, wanted.NewIds.Length));
        Assert.Empty(Directory.EnumerateFiles(host.DataFolder, "*.safetensors*", SearchOption.AllDirectories));
        BlobContainerClient objects = new(connection, "objects");
        List<string> weights = await NamesAsync(objects, "model.safetensors");
        Assert.Equal(2, weights.Count);
        Assert.All(weights, name => Assert.EndsWith(".sealed", name, StringComparison.Ordinal));

        // 2. An upload that a kill cuts off goes on where it was, though the body ended inside a chunk.
        Dictionary<string, byte[]> files = Stories.Files();
        byte[] tensors = files["model.safetensors"];
        string upload = await before.BeginUploadAsync("stories");
        foreach ((string name, byte[] bytes) in files.Where(file => file.Key != "model.safetensors")) await before.PutFileAsync("stories", upload, name, bytes);
        await before.PutFileAsync("stories", upload, "model.safetensors", tensors[..100_001]);
        host.Kill();
        await host.StartAsync(probe, arguments);
        using UserClient after = UserClient.Known(host, before);
        string route = $"api/models/stories/uploads/{upload}/files/model.safetensors";
        using (HttpResponseMessage head = await after.SendAsync(HttpMethod.Head, route))
            Assert.Equal("100001", head.Headers.GetValues("Upload-Offset").Single());
        ByteArrayContent rest = new(tensors[100_001..]);
        rest.Headers.Add("Upload-Offset", "100001");
        using (HttpResponseMessage put = await after.SendAsync(HttpMethod.Put, route, rest)) Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        Assert.Equal(2, (int?)(await after.CommitAsync("stories", upload))["version"]);

        // 3. Both versions give the same text, and a download gives the bytes, ranges too.
        foreach (string model in (string[])["stories@1", "stories@2"])
            Assert.Equal(wanted.NewText, await after.CompleteAsync(model, wanted.Prompt, wanted.NewIds.Length));
        using HttpResponseMessage whole = await after.SendAsync(HttpMethod.Get, "api/models/alice/stories/versions/2/files/model.safetensors");
        Assert.Equal(tensors, await whole.Content.ReadAsByteArrayAsync(Cancel));
        Assert.Equal(tensors.Length, whole.Content.Headers.ContentLength);

        // 4. A damaged blob is one clean error, of that model alone.
        host.Kill();
        List<string> later = await NamesAsync(objects, "model.safetensors");
        string second = later.Single(name => !weights.Contains(name));
        await FlipAsync(objects.GetBlobClient(second));
        await host.StartAsync(probe, arguments);
        using UserClient last = UserClient.Known(host, before);
        JsonObject body = new() { ["model"] = "stories", ["prompt"] = wanted.Prompt, ["temperature"] = 0, ["max_tokens"] = 5 };
        JsonNode error = await last.PostAsync("v1/completions", body, HttpStatusCode.InternalServerError);
        Assert.Equal("model_damaged", (string?)error["error"]!["code"]);
        Assert.Equal(wanted.NewText, await last.CompleteAsync("stories@1", wanted.Prompt, wanted.NewIds.Length));
        Assert.Equal(wanted.NewText, await last.CompleteAsync("other", wanted.Prompt, wanted.NewIds.Length));
    }

    private static async Task<List<string>> NamesAsync(BlobContainerClient container, string part)
    {
        List<string> names = [];
        await foreach (BlobItem blob in container.GetBlobsAsync(cancellationToken: Cancel))
        {
            if (blob.Name.Contains(part, StringComparison.Ordinal)) names.Add(blob.Name);
        }
        return names;
    }

    private static async Task FlipAsync(BlobClient blob)
    {
        byte[] bytes = (await blob.DownloadContentAsync(Cancel)).Value.Content.ToArray();
        bytes[bytes.Length / 2] ^= 1;
        await blob.UploadAsync(new BinaryData(bytes), overwrite: true, Cancel);
    }
}
