using System.Collections.Immutable;
using System.Diagnostics;
using System.Net.Sockets;
using TinyLlm.Bench.Serve;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Cluster;

/// <summary>
/// A cluster of real processes, one role each, with Redis and Azurite, whose devices are simulated. It needs redis-server, and 'npm ci' in tests/npm.
/// </summary>
internal sealed class SimulatedCluster : IAsyncDisposable
{
    private readonly string _keys = Directory.CreateTempSubdirectory("tinyllm-bench-keys-").FullName;
    private readonly List<HostProcess> _hosts = [];
    private readonly string[] _settings;
    private readonly int _redisPort = HostProcess.FreePort();
    private readonly Process _redis;
    private readonly AzuriteProcess _azurite;

    private SimulatedCluster(AzuriteProcess azurite, string[] settings)
    {
        _azurite = azurite;
        _settings = settings;
        string[] arguments = ["--bind", "127.0.0.1", "--port", $"{_redisPort}", "--save", "", "--appendonly", "no"];
        _redis = Process.Start(new ProcessStartInfo("redis-server", arguments) { RedirectStandardOutput = true, WorkingDirectory = Path.GetTempPath() })
            ?? throw new InvalidOperationException("Redis did not start");
        _redis.OutputDataReceived += static (_, _) => { };
        _redis.BeginOutputReadLine();
    }

    /// <summary>The one that serves the API.</summary>
    public HostProcess Api => _hosts[1];

    /// <summary>Processor time of all hosts until now.</summary>
    public TimeSpan ProcessorTime => _hosts.Aggregate(TimeSpan.Zero, (sum, host) => sum + host.ProcessorTime);

    /// <summary>One core, one API, and a silo with a device.</summary>
    public static async Task<SimulatedCluster> StartAsync(params string[] settings)
    {
        SimulatedCluster cluster = new(await AzuriteProcess.StartAsync(CancellationToken.None), settings);
        try
        {
            await cluster.WaitForRedisAsync();
            foreach (string role in (string[])["core", "api", "gpu"]) await cluster.AddAsync(role); // the core makes the keys' files
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts one more process.</summary>
    public async Task AddAsync(string role) => _hosts.Add(await HostProcess.StartAsync(
        new HostSpec(HostSpec.Simulated, ["--roles", role, "--keys", _keys, "--TinyLlm:Cluster:Redis", $"127.0.0.1:{_redisPort}", .. _settings])
        {
            KeysFolder = _keys,
            Environment = ImmutableDictionary<string, string>.Empty.Add("TinyLlm__Storage__ConnectionString", _azurite.ConnectionString),
        }));

    public async ValueTask DisposeAsync()
    {
        foreach (HostProcess host in _hosts) host.Dispose();
        _redis.Kill();
        await _redis.WaitForExitAsync();
        _redis.Dispose();
        await _azurite.DisposeAsync();
        Directory.Delete(_keys, recursive: true);
    }

    private async Task WaitForRedisAsync()
    {
        while (true)
        {
            if (_redis.HasExited) throw new InvalidOperationException($"Redis ended with code {_redis.ExitCode}");
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync("127.0.0.1", _redisPort);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(5); // it does not listen yet
            }
        }
    }
}
