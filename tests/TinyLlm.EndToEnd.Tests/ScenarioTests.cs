using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>The one scenario that has to hold whatever else changes: push, grant, infer, revoke during a stream, forget, receipt.</summary>
public sealed class ScenarioTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task PushGrantInferRevokeForgetReceipt_OnTheEmbeddedHost()
    {
        await using RunningHost host = await RunningHost.StartNewAsync();
        await PlayAsync(host, host, silos: 1, () => Task.FromResult<IEnumerable<string>>(Directory.EnumerateFileSystemEntries(host.DataFolder, "*", SearchOption.AllDirectories)));
    }

    [Fact]
    public async Task PushGrantInferRevokeForgetReceipt_OnACluster()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 2, core: 2, gpu: 2);
        await PlayAsync(cluster.Api[0], cluster.Api[1], silos: 6, cluster.BlobNamesAsync);
    }

    /// <summary>Alice and the operator come by one process, bob by another, or all by the one that there is.</summary>
    private static async Task PlayAsync(RunningHost first, RunningHost second, int silos, Func<Task<IEnumerable<string>>> storedNames)
    {
        using UserClient admin = UserClient.Admin(first);
        using UserClient alice = await UserClient.CreateAsync(first, "alice");
        using UserClient made = await UserClient.CreateAsync(first, "bob");
        using UserClient bob = UserClient.Known(second, made);

        // Push: a context that a stream does not fill before it is cut.
        await alice.UploadAsync("tiny", TinyModel.Files(contextLength: 65_536));
        await bob.GetAsync("v1/models/alice/tiny", HttpStatusCode.NotFound);

        // Grant, and infer by it.
        using (HttpResponseMessage granted = await alice.SendAsync(HttpMethod.Put, "api/models/alice/tiny/grants/bob", JsonContent.Create(new JsonObject { ["rights"] = new JsonArray("infer") })))
            Assert.Equal(HttpStatusCode.OK, granted.StatusCode);
        Assert.NotNull(await bob.CompleteAsync("alice/tiny", "Once", 4));

        // Revoke while it streams: the answer ends within a second (and what the network and a busy machine add), and does not look whole.
        JsonObject body = new() { ["model"] = "alice/tiny", ["prompt"] = "Once", ["max_tokens"] = 60_000, ["temperature"] = 0, ["stream"] = true };
        using (HttpResponseMessage answer = await bob.SendAsync(HttpMethod.Post, "v1/completions", JsonContent.Create(body)))
        {
            using StreamReader reader = new(await answer.Content.ReadAsStreamAsync(Cancel));
            Assert.StartsWith("data: {", await reader.ReadLineAsync(Cancel), StringComparison.Ordinal);
            using HttpResponseMessage revoked = await alice.SendAsync(HttpMethod.Delete, "api/models/alice/tiny/grants/bob");
            Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
            long since = Stopwatch.GetTimestamp();
            string rest = await ReadToEndAsync(reader);
            Assert.DoesNotContain("[DONE]", rest, StringComparison.Ordinal);
            Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        }
        await bob.GetAsync("v1/models/alice/tiny", HttpStatusCode.NotFound);

        // Forget, with a receipt that anybody verifies later.
        using HttpResponseMessage forgotten = await admin.SendAsync(HttpMethod.Delete, "api/users/alice");
        string receipt = await forgotten.Content.ReadAsStringAsync(Cancel);
        Assert.True(forgotten.StatusCode == HttpStatusCode.OK, receipt);
        using TemporaryFolder folder = new();
        await File.WriteAllTextAsync(folder.Combine("receipt.json"), receipt, Cancel);
        ToolRun verified = await ToolRun.CliAsync(first, folder.Path, "receipt", "verify", folder.Combine("receipt.json"));
        Assert.True(verified.ExitCode == 0, verified.Error);
        Assert.StartsWith("valid: user alice, 1 versions", verified.Out, StringComparison.Ordinal);
        JsonNode text = JsonNode.Parse(Convert.FromBase64String((string)JsonNode.Parse(receipt)!["receipt"]!["payload"]!))!;
        Assert.Equal((silos, 0), ((int)text["silos"]!, (int)text["silos_silent"]!));

        // Nothing of alice is left, in names or in files; bob and the operator's log are as they were.
        await alice.GetAsync("api/me", HttpStatusCode.Unauthorized);
        string owner = (string)text["owner"]!;
        Assert.DoesNotContain(await storedNames(), name => name.Contains(owner, StringComparison.Ordinal));
        await bob.GetAsync("api/me");
        string[] told = [.. (await admin.GetAsync("api/admin/audit"))["entries"]!.AsArray().Where(entry => (string?)entry!["subject"] == owner).Select(entry => (string)entry!["action"]!)];
        Assert.Equal(["user.created", "user.deleting", "user.forgotten"], told);
    }

    /// <summary>What still comes, however it ends.</summary>
    private static async Task<string> ReadToEndAsync(StreamReader reader)
    {
        StringBuilder text = new();
        try
        {
            while (await reader.ReadLineAsync(Cancel) is { } line) text.AppendLine(line);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            // Cut.
        }
        return text.ToString();
    }
}
