using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>
/// What is published, started as its manifests start it: each role from the published folder, with the environment of its pod, as a user without rights in a root that
/// can't be written. Addresses and credentials are this machine's: Redis, Azurite, keys as files, and free ports; the cluster's API is a server on loopback.
/// </summary>
public sealed class DeployedRolesTests
{
    [Fact]
    public async Task PublishedRoles_WithTheirManifestsEnvironment_JoinAndServeAChat()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && await CanUnshareAsync(), "a mount namespace can't be made here: this needs Linux and its root");
        using TemporaryFolder folder = new();
        string app = folder.Combine("app"), keys = folder.Combine("keys"), account = folder.Combine("account");
        ToolRun publish = await ToolRun.RunAsync(
            "dotnet", ["publish", Path.Combine(TestData.RepositoryRoot, "src", "TinyLlm.Host"), "-c", TestBuild.Configuration, "--no-build", "-o", app, "-nodeReuse:false", "-v", "q"], new());
        Assert.True(publish.ExitCode == 0, publish.Out + publish.Error);
        foreach (string made in (string[])[keys, account]) Directory.CreateDirectory(made);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(account, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Assert.Equal(0, (await ToolRun.RunAsync("chown", ["1654:1654", keys], new())).ExitCode);
        await using PodApi pods = await PodApi.StartAsync("core-0", "gpu-0", "api-0");
        pods.WriteServiceAccount(account);
        using RedisServer redis = await RedisServer.StartAsync(TestContext.Current.CancellationToken);
        await using Azurite azurite = new();
        string storage = await azurite.ConnectAsync(TestContext.Current.CancellationToken);

        await using DeployedHost core = new("core", folder, pods, redis, storage), gpu = new("gpu", folder, pods, redis, storage), api = new("api", folder, pods, redis, storage);
        foreach (DeployedHost host in (DeployedHost[])[core, gpu, api]) await host.StartAsync();

        string model = Stories.Folder;
        string admin = (await File.ReadAllTextAsync(Path.Combine(keys, "admin-token"), TestContext.Current.CancellationToken)).Trim();
        Dictionary<string, string?> environment = new() { ["TINYLLM_URL"] = api.Url.ToString(), ["XDG_CONFIG_HOME"] = folder.Combine("config"), ["TINYLLM_TOKEN"] = null };
        string cli = TestBuild.Program("TinyLlm.Cli", "tinyllm.dll"), tokenFile = folder.Combine("token");
        await File.WriteAllTextAsync(tokenFile, admin, TestContext.Current.CancellationToken);
        ToolRun chat = new(0, "", "");
        foreach (string[] command in (string[][])[
            ["login", "--token-file", tokenFile], ["user", "add", "alice", "--login"], ["push", model, "--name", "stories"], ["chat", "stories", "Once upon a time"]])
        {
            chat = await ToolRun.RunAsync("dotnet", [cli, .. command], environment);
            Assert.True(chat.ExitCode == 0, $"{command[0]}: {chat.Out}{chat.Error}\n{core.Output}\n{gpu.Output}\n{api.Output}");
        }
        Assert.Matches("[a-z]{3,}", chat.Out);
        Assert.InRange(pods.Lists, 1, int.MaxValue);
    }

    private static async Task<bool> CanUnshareAsync()
    {
        try
        {
            return (await ToolRun.RunAsync("unshare", ["--mount", "--propagation", "private", "true"], new())).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
