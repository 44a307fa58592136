using System.Net;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>A full disk is an answer, not an accident.</summary>
public sealed class DiskFullTests
{
    [Fact]
    public async Task DiskFull_AnythingThatWrites_Answers507AndWorksAgainWithSpace()
    {
        await using RunningHost host = new();
        using SmallDisk disk = SmallDisk.Mount(host.DataFolder, megabytes: 32);
        await host.StartAsync();
        using UserClient alice = await UserClient.CreateAsync(host, "alice");
        JsonNode kept = await alice.UploadAsync("kept", TinyModel.Files());
        string text = await alice.CompleteAsync("kept", "Say", 4);

        // 1. A file that is larger than what is left.
        string upload = await alice.BeginUploadAsync("big");
        string route = $"api/models/big/uploads/{upload}/files/model.safetensors";
        using (HttpResponseMessage full = await alice.SendAsync(HttpMethod.Put, route, new ByteArrayContent(new byte[48 << 20])))
            await AssertFullAsync(full);

        // 2. No space at all: decisions can't be written either, and what is there still serves.
        disk.Fill();
        using (HttpResponseMessage full = await alice.SendAsync(HttpMethod.Post, "api/models/next/uploads")) await AssertFullAsync(full);
        Assert.Equal(text, await alice.CompleteAsync("kept", "Say", 4));
        Assert.Equal((string?)kept["digest"], (string?)(await alice.GetAsync("api/models/alice/kept"))["model"]!["digest"]);

        // 3. Space returns: the same host goes on, and what it counts is what is there.
        disk.Free();
        using (HttpResponseMessage gone = await alice.SendAsync(HttpMethod.Delete, $"api/models/big/uploads/{upload}")) Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        Assert.Equal(2, (int?)(await alice.UploadAsync("kept", TinyModel.Files(seed: 2)))["version"]);
        Assert.Equal(text, await alice.CompleteAsync("alice/kept@1", "Say", 4));
        long bytes = (await alice.GetAsync("api/models/alice/kept/versions"))["versions"]!.AsArray().Sum(version => (long)version!["bytes"]!);
        Assert.Equal(bytes, (long?)(await alice.GetAsync("api/me"))["stored_bytes"]);
        foreach (string store in (string[])["objects", "grainstate"]) await EmptiesAsync(Path.Combine(host.DataFolder, store, ".tmp"));
    }

    /// <summary>What lies there is a write that is under way, and none that was given up: it goes by itself.</summary>
    private static async Task EmptiesAsync(string folder)
    {
        string[] left = Directory.GetFileSystemEntries(folder);
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        while (left.Any(Path.Exists) && !patience.IsCancellationRequested) await Task.Yield();
        Assert.DoesNotContain(left, Path.Exists);
    }

    private static async Task AssertFullAsync(HttpResponseMessage answer)
    {
        string body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.InsufficientStorage, $"{answer.StatusCode} {body}");
        Assert.Equal("storage_full", (string?)JsonNode.Parse(body)!["code"]);
        Assert.NotNull(answer.Headers.RetryAfter);
    }
}
