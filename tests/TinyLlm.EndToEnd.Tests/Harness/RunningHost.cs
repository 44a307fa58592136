using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>
/// The real host as a process of its own, on a port that the system chooses and a data folder of its own. It can be killed without warning
/// and started again on the same data; whatever happens, it is ended by its process id.
/// </summary>
internal sealed partial class RunningHost : IAsyncDisposable
{
    // Loading libtorch on a busy machine takes many seconds; a host that needs longer than this hangs.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);

    private readonly ConcurrentQueue<string> output = new();
    private readonly string folder = Directory.CreateTempSubdirectory("tinyllm-e2e-").FullName;
    private readonly ConcurrentDictionary<TaskCompletionSource, string> awaited = new();
    private Process? process;

    /// <summary>Where the host keeps everything.</summary>
    public string DataFolder => Path.Combine(folder, "data");

    /// <summary>More of its command line.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>More of its environment: what is secret has no place on a command line.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Where keys and admin token lie; null: in the data folder.</summary>
    public string? KeysFolder { get; init; }

    /// <summary>The address that it printed.</summary>
    public Uri Url { get; private set; } = new("http://127.0.0.1:1");

    /// <summary>The process that runs.</summary>
    public int ProcessId => process!.Id;

    /// <summary>Whether it has ended, for whatever reason.</summary>
    public bool HasExited => process!.HasExited;

    /// <summary>The operator's token.</summary>
    public string AdminToken => File.ReadAllText(Path.Combine(KeysFolder ?? DataFolder, "admin-token")).Trim();

    /// <summary>All that it printed, both streams.</summary>
    public string Output => string.Join('\n', output);

    public static async Task<RunningHost> StartNewAsync()
    {
        using HttpClient client = new();
        return await StartNewAsync(client, "--urls", "http://127.0.0.1:0");
    }

    /// <summary>Starts a host with other arguments; <paramref name="client"/> asks it whether it is ready.</summary>
    public static Task<RunningHost> StartNewAsync(HttpClient client, params string[] arguments) => StartNewAsync(new RunningHost(), client, arguments);

    /// <summary>Starts a host that is made already.</summary>
    public static async Task<RunningHost> StartNewAsync(RunningHost host, HttpClient client, params string[] arguments)
    {
        try
        {
            await host.StartAsync(client, arguments);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts, or starts again after <see cref="Kill"/>, and returns when it says that it is ready.</summary>
    public async Task StartAsync()
    {
        using HttpClient client = new();
        await StartAsync(client, "--urls", "http://127.0.0.1:0");
    }

    /// <summary>The same with other arguments.</summary>
    public async Task StartAsync(HttpClient client, params string[] arguments)
    {
        string program = TestBuild.Program("TinyLlm.Host", "TinyLlm.Host.dll");
        process?.Dispose();
        ProcessStartInfo start = new("dotnet", [program, "--data", DataFolder, .. KeysFolder is null ? [] : (string[])["--keys", KeysFolder], .. arguments, .. Arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment.Remove("ASPNETCORE_URLS");
        foreach ((string name, string value) in Environment) start.Environment[name] = value;
        TaskCompletionSource<Uri> ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, line) => Take(line.Data, ready);
        process.ErrorDataReceived += (_, line) => Take(line.Data, ready);
        process.Exited += (_, _) => ready.TrySetException(new InvalidOperationException("the host ended before it was ready"));
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            Url = await ready.Task.WaitAsync(StartLimit, TestContext.Current.CancellationToken);
        }
        catch (Exception fault)
        {
            throw new InvalidOperationException($"the host did not start: {fault.Message}\n{Output}", fault);
        }
        using HttpResponseMessage answer = await client.GetAsync(new Uri(Url, "healthz/ready"), TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"the host said that it was ready, and /healthz/ready answers {answer.StatusCode}");
    }

    /// <summary>Ends when it prints the next line that has <paramref name="text"/> in it.</summary>
    public async Task PrintsAsync(string text)
    {
        TaskCompletionSource printed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        awaited[printed] = text;
        try
        {
            await printed.Task.WaitAsync(StartLimit, TestContext.Current.CancellationToken);
        }
        finally
        {
            awaited.TryRemove(printed, out _);
        }
    }

    /// <summary>SIGKILL: no handler, no flush, no goodbye.</summary>
    public void Kill()
    {
        process!.Kill();
        process.WaitForExit();
    }

    /// <summary>SIGSTOP: it is there and does nothing, like a process on a machine that has no time for it.</summary>
    public Task FreezeAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT: it goes on where it was.</summary>
    public Task ThawAsync() => SignalAsync("CONT");

    /// <summary>Ends when the process has ended, by itself or not. Answers the exit code.</summary>
    public async Task<int> EndedAsync()
    {
        await process!.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(StartLimit, TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    /// <summary>SIGTERM, as a service manager stops a service. Answers the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await SignalAsync("TERM");
        return await EndedAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    private async Task SignalAsync(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", process!.Id.ToString(null, null)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, kill.ExitCode);
    }

    private void Take(string? line, TaskCompletionSource<Uri> ready)
    {
        if (line is null) return;
        output.Enqueue(line);
        foreach ((TaskCompletionSource printed, string text) in awaited)
        {
            if (line.Contains(text, StringComparison.Ordinal)) printed.TrySetResult();
        }
        if (AddressPattern().Match(line) is { Success: true } match) ready.TrySetResult(new Uri(match.Value));
    }

    [GeneratedRegex(@"https?://127\.0\.0\.1:[0-9]+")]
    private static partial Regex AddressPattern();
}
