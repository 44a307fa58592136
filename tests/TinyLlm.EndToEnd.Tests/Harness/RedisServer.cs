using System.Diagnostics;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>A real Redis on a free port, which keeps nothing. Ended by its process id.</summary>
internal sealed class RedisServer : IDisposable
{
    private const string Program = "redis-server";
    private const string Ready = "Ready to accept connections";

    private readonly Process _process;

    private RedisServer(Process process, int port)
    {
        _process = process;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Skips the calling test where there is no Redis.</summary>
    public static void SkipWithoutIt()
    {
        bool isInstalled = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, Program)));
        Assert.SkipUnless(isInstalled, "redis-server is not installed: test.sh installs it where it may");
    }

    /// <summary>Starts one; skips the calling test where there is no Redis.</summary>
    public static async Task<RedisServer> StartAsync(CancellationToken cancellationToken)
    {
        SkipWithoutIt();
        int port = FreePort.Below();
        Process process = Process.Start(new ProcessStartInfo(Program, ["--bind", "127.0.0.1", "--port", $"{port}", "--save", "", "--appendonly", "no"])
        {
            RedirectStandardOutput = true,
            WorkingDirectory = Path.GetTempPath(),
        }) ?? throw new InvalidOperationException("Redis did not start");
        RedisServer server = new(process, port);
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (!line.Contains(Ready, StringComparison.Ordinal)) continue;
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None); // ends with the process; read so that the pipe never fills
            return server;
        }
        server.Dispose();
        throw new InvalidOperationException("Redis ended before it was ready");
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
