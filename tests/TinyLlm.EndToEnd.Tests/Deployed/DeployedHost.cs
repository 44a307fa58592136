using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>One pod's process in a root of its own. Ended by its id.</summary>
internal sealed partial class DeployedHost(string role, TemporaryFolder folder, PodApi pods, RedisServer redis, string storage) : IAsyncDisposable
{
    // As for any host: a slow machine loads libtorch for many seconds.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly ConcurrentQueue<string> _output = new();
    private Process? _process;

    /// <summary>Where it serves HTTP.</summary>
    public Uri Url { get; private set; } = new("http://127.0.0.1:1");

    public string Output => $"{role}:\n{string.Join('\n', _output)}";

    /// <summary>Returns when it says that it is ready.</summary>
    public async Task StartAsync()
    {
        string root = Directory.CreateDirectory(folder.Combine($"root-{role}")).FullName;
        string script = Path.Combine(TestData.RepositoryRoot, "tests/TinyLlm.EndToEnd.Tests/Deployed/container.sh");
        ProcessStartInfo start = new("unshare", ["--mount", "--propagation", "private", "bash", script, root, folder.Combine("app"), folder.Combine("keys"), folder.Combine("account"), DotnetFolder()])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        foreach ((string name, string value) in ManifestEnvironment.Of(role, $"{role}-0")) start.Environment[name] = value;
        Substitute(start.Environment);
        TaskCompletionSource<Uri> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data, ready);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, ready);
        _process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("it ended before it was ready"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            Url = await ready.Task.WaitAsync(StartLimit, TestContext.Current.CancellationToken);
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"{fault.Message}\n{Output}", fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    /// <summary>Addresses and credentials of this machine; all the rest is the manifest's.</summary>
    private void Substitute(IDictionary<string, string?> environment)
    {
        foreach (string name in (string[])["TinyLlm__KeyVault__Uri", "TinyLlm__Storage__AccountUri", "TinyLlm__Storage__KeyAccountUri"]) environment.Remove(name);
        environment["TinyLlm__Keys"] = "/keys";
        environment["TinyLlm__Storage__ConnectionString"] = storage;
        environment["TinyLlm__Cluster__Redis"] = $"127.0.0.1:{redis.Port}";
        // Pods have addresses of their own, these processes have one for all.
        environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        environment["TinyLlm__Cluster__SiloPort"] = "0";
        environment.Remove("TinyLlm__Telemetry__MetricsPort");
        environment["KUBERNETES_SERVICE_HOST"] = "127.0.0.1";
        environment["KUBERNETES_SERVICE_PORT"] = $"{pods.Port}";
    }

    private static string DotnetFolder()
    {
        string program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(part => Path.Combine(part, "dotnet")).First(File.Exists);
        return Path.GetDirectoryName(File.ResolveLinkTarget(program, returnFinalTarget: true)?.FullName ?? program)!;
    }

    private void Take(string? line, TaskCompletionSource<Uri> ready)
    {
        if (line is null) return;
        _output.Enqueue(line);
        if (AddressPattern().Match(line) is { Success: true } match) ready.TrySetResult(new Uri(match.Value));
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:[0-9]+")]
    private static partial Regex AddressPattern();
}
