using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Grains.Tests.Replicas;

/// <summary>One model that nearly everybody wants, on devices of a fixed speed and in simulated time: the whole path but HTTP is real.</summary>
public sealed class HotModelTests
{
    private const int Devices = 4;
    private const int Clients = 64;
    private const int ColdModels = 6;
    private const int AnswerTokens = 8;

    /// <summary>Tokens of a batch and of a tenth of a second: an answer takes about a second when the batch is full.</summary>
    private const int Batch = 8;

    private const int RoundsPerSecond = 10;

    private static readonly TestSilo s_core = new() { Device = null };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HotModel_NineTenthsOfTheLoad_FourDevicesDo3Point6TimesTheWorkOfOneAfterTenSeconds()
    {
        await using Load one = await Load.StartAsync(devices: 1);
        await one.RunAsync(seconds: 2); // one device needs no time to spread anything
        int alone = await one.RunAsync(seconds: 10);

        await using Load four = await Load.StartAsync(Devices);
        await four.RunAsync(seconds: 10);
        int together = await four.RunAsync(seconds: 10);

        TestContext.Current.TestOutputHelper?.WriteLine($"{alone} tokens on one device, {together} on {Devices}: {(double)together / alone:f2} times as many");
        Assert.InRange((double)together / alone, 3.6, Devices * 1.05); // more would say that one device was not full
        Assert.Equal(Devices, four.Holders()); // a replica on each silo
    }

    /// <summary>Regression: as long as each had a place, nobody waited, and so they shared the batches of one device while the others stood idle.</summary>
    [Fact]
    public async Task HotModel_PlacesForAllAndBatchesForAFew_SpreadsOverTheDevices()
    {
        await using Load load = await Load.StartAsync(Devices, places: 2 * Clients);

        for (int seconds = 0; seconds < 60 && load.Holders() < Devices; seconds++) await load.RunAsync(seconds: 1);

        Assert.Equal(Devices, load.Holders());
    }

    [Fact]
    public async Task HotModel_LoadIsGone_ReplicasShrinkByOneAMinute()
    {
        await using Load load = await Load.StartAsync(Devices);
        await load.RunAsync(seconds: 5);
        await load.StopAsync();

        List<int> used = [];
        for (int minute = 0; minute < Devices; minute++)
        {
            load.Time.Advance(TimeSpan.FromMinutes(1));
            used.Add(await load.CountUsedDevicesAsync(requests: 60)); // that one of three is not chosen in sixty has a chance below 1e-10
        }

        Assert.Equal([3, 2, 1, 1], used);
    }

    /// <summary>Clients that send one request after the other, nine of ten to the hot model.</summary>
    private sealed class Load : IAsyncDisposable
    {
        private readonly GrainCluster _cluster;
        private readonly PacedDevices _devices;
        private readonly SessionRouter _router;
        private readonly ModelLease _hot;
        private readonly ModelLease[] _cold;
        private readonly int[] _accelerators;
        private readonly Task[] _clients;
        private volatile bool _isStopping;

        private Load(GrainCluster cluster, int devices, ModelLease[] leases)
        {
            (_cluster, _hot, _cold) = (cluster, leases[0], leases[1..]);
            _accelerators = [.. Enumerable.Range(1, devices)];
            _devices = new PacedDevices(cluster, _accelerators, Batch);
            IServiceProvider services = cluster.Services(0);
            _router = new SessionRouter(services.GetRequiredService<IGrainFactory>(), services.GetRequiredService<AcceleratorSilos>(), Time, NullLogger<SessionRouter>.Instance);
            _clients = [.. Enumerable.Range(0, Clients).Select(client => Task.Run(() => AskAgainAndAgainAsync(new Random(client))))];
        }

        public FakeTimeProvider Time { get; } = new();

        /// <param name="devices">How many.</param>
        /// <param name="places">A device's, of which a lone caller gets three quarters; as in the defaults, half as many again as a batch takes.</param>
        public static async Task<Load> StartAsync(int devices, int places = Batch * 3 / 2)
        {
            TestSilo accelerator = new() { Core = false, Loop = loop => (loop.MaxBatch, loop.MaxRunning) = (Batch, places) };
            GrainCluster cluster = await GrainCluster.StartAsync([s_core, .. Enumerable.Range(0, devices).Select(_ => accelerator with { Device = new() })]);
            TestUser alice = await cluster.CreateUserAsync("alice");
            ModelLease[] leases = new ModelLease[1 + ColdModels];
            for (int i = 0; i < leases.Length; i++)
            {
                await alice.PublishAsync($"tiny{i}");
                leases[i] = (await alice.LeaseAsync($"tiny{i}")).Lease;
            }
            return new Load(cluster, devices, leases);
        }

        /// <summary>The tokens that are computed in so much simulated time. Answers end in batches, so their number would be a few batches' worth, give or take one.</summary>
        public async Task<int> RunAsync(int seconds)
        {
            int before = _devices.Tokens;
            for (int round = 0; round < seconds * RoundsPerSecond; round++)
            {
                await _devices.RunRoundAsync(Clients);
                Time.Advance(TimeSpan.FromSeconds(1.0 / RoundsPerSecond));
            }
            return _devices.Tokens - before;
        }

        /// <summary>Silos that have the hot model in memory.</summary>
        public int Holders() => _accelerators.Count(silo => _cluster.ModelHost(silo).IsResident(_hot.Version));

        public async Task StopAsync()
        {
            _isStopping = true;
            _devices.Open();
            await Task.WhenAll(_clients);
        }

        /// <summary>How many devices serve so many requests for the hot model that come one after the other.</summary>
        public async Task<int> CountUsedDevicesAsync(int requests)
        {
            IReadOnlyList<int> before = _devices.Forwards;
            for (int i = 0; i < requests; i++) await AskAsync(_hot);
            return _devices.Forwards.Zip(before).Count(pair => pair.First > pair.Second);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            await _cluster.DisposeAsync();
        }

        private async Task AskAgainAndAgainAsync(Random random)
        {
            while (!_isStopping) await AskAsync(random.NextDouble() < 0.9 ? _hot : _cold[random.Next(ColdModels)]);
        }

        private async Task AskAsync(ModelLease lease)
        {
            await using RoutedSession session = await _router.StartAsync(lease, TestSession.Greedy(AnswerTokens), Cancel);
            List<SessionEvent> events = [];
            while (await session.Events.MoveNextAsync()) events.Add(session.Events.Current);
            Assert.Equal(TestSession.Answer(AnswerTokens), TestSession.Text(events));
        }
    }
}
