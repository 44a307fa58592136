using System.ComponentModel;
using System.Net;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>
/// A cluster of pods on this machine: what is published, once, and processes of it in roots of their own. Every pod has a loopback address of its own, so that each listens on
/// the manifests' own ports; Redis, Azurite and the pods' API serve on 127.0.0.1.
/// </summary>
internal sealed class DeployedCluster : IAsyncDisposable
{
    // A network of its own among the loopback addresses: two clusters on one machine do not meet.
    private readonly byte[] _network = [127, (byte)Random.Shared.Next(1, 255), (byte)Random.Shared.Next(1, 255), 0];
    private readonly TemporaryFolder _folder = new();
    private readonly List<DeployedHost> _pods = [];
    private readonly Azurite _azurite = new();
    private RedisServer? _redis;
    private string _account = "";

    /// <summary>What the pods ask.</summary>
    public PodApi? Api { get; private set; }

    /// <summary>The operator's token.</summary>
    public string AdminToken => File.ReadAllText(_folder.Combine("keys", "admin-token")).Trim();

    /// <summary>The name that clients know the API by: the address of the first pod.</summary>
    public string HostName => $"{AddressOf(1)}";

    /// <summary>What all pods printed.</summary>
    public string Output => string.Join('\n', _pods.Select(pod => pod.Output));

    /// <summary>Publishes; skips the calling test where no namespace can be made, or Redis or Azurite is missing.</summary>
    public static async Task<DeployedCluster> StartAsync()
    {
        DeployedCluster cluster = new();
        try
        {
            await cluster.PrepareAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a pod of a role, which then is on the list of pods.</summary>
    public async Task<DeployedHost> StartPodAsync(string role, string name)
    {
        DeployedHost pod;
        lock (_pods)
        {
            int number = role == "api" ? 1 : 2 + _pods.Count;
            pod = new DeployedHost(name, new PodManifest(role, HostName), AddressOf(number));
            _pods.Add(pod);
        }
        Api!.Add(name, pod.Address);
        string[] mounts = [_folder.Combine("app"), _folder.Combine("keys"), _folder.Combine("account"), DotnetFolder()];
        await pod.StartAsync(_folder.Path, mounts, Substitute(pod.Manifest.Environment(name, pod.Address), pod.Address));
        return pod;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DeployedHost pod in _pods) await pod.DisposeAsync();
        if (Api is not null) await Api.DisposeAsync();
        _redis?.Dispose();
        await _azurite.DisposeAsync();
        _folder.Dispose();
    }

    private async Task PrepareAsync()
    {
        await SkipWithoutNamespacesAsync();
        _redis = await RedisServer.StartAsync(TestContext.Current.CancellationToken);
        _account = await _azurite.ConnectAsync(TestContext.Current.CancellationToken);
        string app = _folder.Combine("app"), keys = _folder.Combine("keys"), account = _folder.Combine("account");
        await RunAsync("dotnet", "publish", Path.Combine(TestData.RepositoryRoot, "src", "TinyLlm.Host"), "-c", TestBuild.Configuration, "--no-build", "-o", app, "-nodeReuse:false", "-v", "q");
        foreach (string made in (string[])[keys, account]) Directory.CreateDirectory(made);
        Api = await PodApi.StartAsync();
        Api.WriteServiceAccount(account);
        await RunAsync("chmod", "-R", "a+rX", app, account); // whatever this process's umask
        await RunAsync("chown", $"{new PodManifest("core", HostName).User}", keys);
    }

    private async Task SkipWithoutNamespacesAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "roots of their own for processes need Linux and its root user");
        string why;
        try
        {
            // Both that are needed: a namespace, and a mount in it.
            ToolRun tried = await ToolRun.RunAsync("unshare", ["--mount", "--propagation", "private", "mount", "-t", "tmpfs", "tmpfs", _folder.Path], []);
            why = tried.ExitCode == 0 ? "" : tried.Error.Trim();
        }
        catch (Win32Exception exception)
        {
            why = exception.Message;
        }
        Assert.SkipUnless(why.Length == 0, $"no mount namespace can be made here, and so no root that can't be written: {why}");
    }

    /// <summary>Addresses and credentials of this machine; all the rest is the manifest's.</summary>
    private Dictionary<string, string> Substitute(Dictionary<string, string> environment, IPAddress address)
    {
        // No vault and no account of Azure's: keys are files, and the account is opened by a connection string.
        foreach (string name in (string[])["TinyLlm__KeyVault__Uri", "TinyLlm__Storage__AccountUri", "TinyLlm__Storage__KeyAccountUri"]) environment.Remove(name);
        environment["TinyLlm__Keys"] = "/keys";
        environment["TinyLlm__Storage__ConnectionString"] = _account;
        environment["TinyLlm__Cluster__Redis"] = $"127.0.0.1:{_redis!.Port}";
        foreach (string name in (string[])["ASPNETCORE_URLS", "TinyLlm__Telemetry__MetricsAddress"]) environment[name] = environment[name].Replace("0.0.0.0", $"{address}", StringComparison.Ordinal);
        // What the kubelet adds.
        environment["KUBERNETES_SERVICE_HOST"] = "127.0.0.1";
        environment["KUBERNETES_SERVICE_PORT"] = $"{Api!.Port}";
        return environment;
    }

    private IPAddress AddressOf(int pod) => new([.. _network[..3], (byte)pod]);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        ToolRun run = await ToolRun.RunAsync(program, arguments, []);
        Assert.True(run.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {run.Out}{run.Error}");
    }

    /// <summary>The .NET that runs this test: DOTNET/shared/Microsoft.NETCore.App/VERSION/System.Private.CoreLib.dll.</summary>
    private static string DotnetFolder()
    {
        string folder = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        for (int up = 0; up < 3; up++) folder = Path.GetDirectoryName(folder)!;
        Assert.True(File.Exists(Path.Combine(folder, "dotnet")), $"'{folder}' is no installation of .NET");
        return folder;
    }
}
