using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>One pod's process in a root of its own, at an address of its own. Ended by its id.</summary>
internal sealed class DeployedHost(string name, PodManifest manifest, IPAddress address) : IAsyncDisposable
{
    private const string Ready = "TinyLlm is ready.";
    private const int KeptLines = 400; // a silo that can't talk to another fills the memory with warnings

    // As for any host: a slow machine loads libtorch for many seconds.
    private static readonly TimeSpan s_startLimit = TimeSpan.FromMinutes(3);

    private readonly ConcurrentQueue<string> _output = new();
    private Process? _process;

    public PodManifest Manifest => manifest;

    public IPAddress Address => address;

    /// <summary>The last of what it printed.</summary>
    public string Output => $"{name}:\n{string.Join('\n', _output)}";

    /// <summary>Returns when it says that it is ready.</summary>
    /// <param name="folder">Where its root is made.</param>
    /// <param name="mounts">What container.sh takes after the root: what is published, keys, service account, .NET.</param>
    /// <param name="environment">All of it.</param>
    public async Task StartAsync(string folder, IEnumerable<string> mounts, Dictionary<string, string> environment)
    {
        string root = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        string script = Path.Combine(TestData.RepositoryRoot, "tests/TinyLlm.EndToEnd.Tests/Deployed/container.sh");
        ProcessStartInfo start = new("unshare", ["--mount", "--propagation", "private", "bash", script, root, .. mounts, manifest.User, .. manifest.Volumes])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        foreach ((string variable, string value) in environment) start.Environment[variable] = value;
        TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Take(line.Data, ready);
        _process.ErrorDataReceived += (_, line) => Take(line.Data, ready);
        _process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("it ended before it was ready"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        try
        {
            await ready.Task.WaitAsync(s_startLimit, TestContext.Current.CancellationToken);
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"{fault.Message}\n{Output}", fault);
        }
    }

    /// <summary>SIGTERM, as the platform stops a pod. Answers the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using (Process kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"])) await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null) return;
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private void Take(string? line, TaskCompletionSource ready)
    {
        if (line is null) return;
        _output.Enqueue(line);
        while (_output.Count > KeptLines) _output.TryDequeue(out _);
        if (line == Ready) ready.TrySetResult();
    }
}
