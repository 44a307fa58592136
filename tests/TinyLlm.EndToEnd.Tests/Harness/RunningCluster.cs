using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>
/// A cluster of real processes: Redis, Azurite, and hosts of one role each, which share their keys. Everything on loopback and on free ports, and ended by
/// its process id.
/// </summary>
internal sealed class RunningCluster : IAsyncDisposable
{
    private readonly string _keys = Directory.CreateTempSubdirectory("tinyllm-cluster-keys-").FullName;
    private readonly List<RunningHost> _hosts = [];
    private readonly Azurite _azurite; // of its own: other tests count what lies in theirs
    private readonly RedisServer _redis;
    private readonly string _account;

    private RunningCluster(Azurite azurite, RedisServer redis, string account)
    {
        _azurite = azurite;
        _redis = redis;
        _account = account;
    }

    public List<RunningHost> Api { get; } = [];

    public List<RunningHost> Core { get; } = [];

    public List<RunningHost> Gpu { get; } = [];

    public static async Task<RunningCluster> StartAsync(int api, int core, int gpu)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        RedisServer redis = await RedisServer.StartAsync(cancellationToken);
        Azurite azurite = new();
        RunningCluster cluster = new(azurite, redis, await azurite.ConnectAsync(cancellationToken));
        try
        {
            // The first core makes the keys' files; the rest may come together.
            await cluster.AddAsync("core", cluster.Core);
            List<Task> starting = [];
            for (int i = 1; i < core; i++) starting.Add(cluster.AddAsync("core", cluster.Core));
            for (int i = 0; i < gpu; i++) starting.Add(cluster.AddAsync("gpu", cluster.Gpu));
            for (int i = 0; i < api; i++) starting.Add(cluster.AddAsync("api", cluster.Api));
            await Task.WhenAll(starting);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async Task AddAsync(string role, List<RunningHost> list)
    {
        RunningHost host = new()
        {
            KeysFolder = _keys,
            Arguments = ["--roles", role, "--TinyLlm:Cluster:Redis", $"127.0.0.1:{_redis.Port}"],
            Environment = new Dictionary<string, string> { ["TinyLlm__Storage__ConnectionString"] = _account },
        };
        lock (_hosts) _hosts.Add(host);
        await host.StartAsync();
        lock (_hosts) list.Add(host);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (RunningHost host in _hosts) await host.DisposeAsync();
        _redis.Dispose();
        await _azurite.DisposeAsync();
        Directory.Delete(_keys, recursive: true);
    }
}
