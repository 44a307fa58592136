using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
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

    private readonly string[] _arguments;

    private RunningCluster(Azurite azurite, RedisServer redis, string account, string[] arguments)
    {
        _azurite = azurite;
        _redis = redis;
        _account = account;
        _arguments = arguments;
    }

    public List<RunningHost> Api { get; } = [];

    public List<RunningHost> Core { get; } = [];

    public List<RunningHost> Gpu { get; } = [];

    /// <summary>The process that was started last, whether it is ready yet or not.</summary>
    public RunningHost Newest
    {
        get
        {
            lock (_hosts) return _hosts[^1];
        }
    }

    /// <summary>The processes of each role.</summary>
    public IReadOnlyList<List<RunningHost>> Roles => [Api, Core, Gpu];

    /// <summary>Where the API is served, or was before a process was replaced.</summary>
    public Uri[] ApiAddresses
    {
        get
        {
            lock (_hosts) return [.. Api.Select(host => host.Url)];
        }
    }

    /// <summary>Starts so many processes of each role, each with <paramref name="arguments"/> on its command line.</summary>
    public static async Task<RunningCluster> StartAsync(int api, int core, int gpu, params string[] arguments)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        RedisServer redis = await RedisServer.StartAsync(cancellationToken);
        Azurite azurite = new();
        RunningCluster cluster = new(azurite, redis, await azurite.ConnectAsync(cancellationToken), arguments);
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
        RunningHost host = await StartHostAsync(role);
        lock (_hosts) list.Add(host);
    }

    /// <summary>The role that the processes of a list have.</summary>
    public string NameOf(List<RunningHost> list) => list == Api ? "api" : list == Core ? "core" : "gpu";

    /// <summary>Starts a process that takes the place of one that has ended.</summary>
    public async Task ReplaceAsync(List<RunningHost> list, RunningHost old)
    {
        RunningHost host = await StartHostAsync(NameOf(list));
        lock (_hosts) list[list.IndexOf(old)] = host;
    }

    /// <summary>The name of everything that lies in the storage account.</summary>
    public async Task<IEnumerable<string>> BlobNamesAsync()
    {
        BlobServiceClient account = new(_account);
        List<string> names = [];
        await foreach (BlobContainerItem container in account.GetBlobContainersAsync(cancellationToken: TestContext.Current.CancellationToken))
        {
            await foreach (BlobItem blob in account.GetBlobContainerClient(container.Name).GetBlobsAsync(cancellationToken: TestContext.Current.CancellationToken))
                names.Add($"{container.Name}/{blob.Name}");
        }
        Assert.NotEmpty(names);
        return names;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (RunningHost host in _hosts) await host.DisposeAsync();
        _redis.Dispose();
        await _azurite.DisposeAsync();
        Directory.Delete(_keys, recursive: true);
    }

    private async Task<RunningHost> StartHostAsync(string role)
    {
        RunningHost host = new()
        {
            KeysFolder = _keys,
            Arguments = ["--roles", role, "--TinyLlm:Cluster:Redis", $"127.0.0.1:{_redis.Port}", .. _arguments],
            Environment = new Dictionary<string, string> { ["TinyLlm__Storage__ConnectionString"] = _account },
        };
        lock (_hosts) _hosts.Add(host);
        await host.StartAsync();
        return host;
    }
}
