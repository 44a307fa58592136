using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>The host key's rotation as docs/OPERATIONS.md has it for keys that are files: one request, and nothing is lost. VaultRotationTests has it for a key vault.</summary>
public sealed class KeyRotationTests
{
    [Fact]
    public async Task Rotate_ThenStartAgain_OldKeyIsGoneAndEverythingOpens()
    {
        await using RunningHost host = await RunningHost.StartNewAsync();
        using UserClient before = await UserClient.CreateAsync(host, "alice");
        await before.UploadStoriesAsync();
        string text = await before.CompleteAsync("stories", "Once upon a time", 20);
        Assert.Equal(["host-1"], HostKeys(host));

        using (UserClient admin = UserClient.Admin(host))
        {
            JsonNode rotated = await admin.PostAsync("api/admin/host-key/rotate", null);
            Assert.Equal(1, (int?)rotated["rewrapped"]);
        }

        Assert.Equal(["host-2"], HostKeys(host));
        Assert.Equal(0, await host.StopAsync());
        await host.StartAsync(); // nothing of the old key is in memory
        using UserClient after = UserClient.Known(host, before);
        Assert.Equal(text, await after.CompleteAsync("stories", "Once upon a time", 20));
        await after.UploadStoriesAsync("tales");
        Assert.Equal(text, await after.CompleteAsync("tales", "Once upon a time", 20));
    }

    private static IEnumerable<string?> HostKeys(RunningHost host) =>
        Directory.EnumerateFiles(host.DataFolder, "host-*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal);
}
