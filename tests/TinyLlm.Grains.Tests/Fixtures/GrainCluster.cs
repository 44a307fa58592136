using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.MembershipService.SiloMetadata;
using Orleans.TestingHost;
using TinyLlm.Engine;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests;

/// <summary>
/// A real Orleans cluster in this process over a real data folder: the registrations of the host, with a simulated device and a clock that the
/// test moves. Keys are fixed, so that a second cluster over the same folder goes on where the first stopped.
/// </summary>
internal sealed class GrainCluster : IAsyncDisposable
{
    private static readonly byte[] s_tokenKey = [.. Enumerable.Range(1, TokenHash.KeyBytes).Select(i => (byte)i)];
    private static readonly byte[] s_leaseKey = [.. Enumerable.Range(101, 32).Select(i => (byte)i)];

    private static readonly AuditKey s_auditKey = AuditKey.Parse(AuditKey.NewText());

    /// <summary>One for all clusters: the second one over a folder is the same host.</summary>
    private static readonly SigningKey s_signingKey = SigningKey.Parse(SigningKey.NewText());

    private readonly TempFolder? _ownFolder;
    private readonly DataFolder _data;
    private readonly List<TestSilo> _roles;
    private readonly InProcessTestCluster _cluster;

    private GrainCluster(string? folder, TestClock time, TestSilo[] silos)
    {
        _ownFolder = folder is null ? new TempFolder() : null;
        _data = DataFolder.Open(folder ?? _ownFolder!.FullPath, TimeProvider.System);
        _roles = [.. silos];
        Time = time;
        InProcessTestClusterBuilder builder = new((short)silos.Length);
        builder.Options.AssumeHomogenousSilosForTesting = false;
        builder.Options.ConfigureFileLogging = false;
        builder.ConfigureSilo((options, silo) => Configure(silo, RoleOf(options.SiloName)));
        _cluster = builder.Build();
    }

    public TestClock Time { get; }

    /// <summary>A client outside the silos.</summary>
    public IClusterClient Client => _cluster.Client;

    public InProcessTestCluster Orleans => _cluster;

    public ObjectStore GrainState => _data.GrainState;

    public ObjectStore Objects => _data.Objects;

    public string DataPath => _data.FullPath;

    public static AuditPublicKey AuditPublicKey => s_auditKey.PublicKey;

    public ModelFiles Files => Services(0).GetRequiredService<ModelFiles>();

    /// <summary>A lease as a user grain would sign it.</summary>
    public ModelLease Sign(ModelLease lease) => new LeaseSigner(s_leaseKey, Time).Sign(lease);

    /// <summary>Where a grain is active.</summary>
    public SiloAddress SiloOf(GrainId grain) =>
        _cluster.TryGetGrainContext(grain, out IGrainContext? context) ? context.Address.SiloAddress! : throw new InvalidOperationException($"{grain} is not active");

    public SimulatedBackend Device(int silo = 0) => _roles[silo].Device!;

    public ModelHost ModelHost(int silo = 0) => Services(silo).GetRequiredService<ModelHost>();

    public DeviceLoop Loop(int silo = 0) => Services(silo).GetRequiredService<DeviceLoop>();

    public IServiceProvider Services(int silo) => _cluster.Silos[silo].ServiceProvider;

    public static Task<GrainCluster> StartAsync(params TestSilo[] silos) => StartAsync(null, new TestClock(), silos);

    public static async Task<GrainCluster> StartAsync(string? folder, TestClock time, params TestSilo[] silos)
    {
        GrainCluster cluster = new(folder, time, silos.Length == 0 ? [new TestSilo()] : silos);
        await cluster._cluster.DeployAsync();
        await cluster.KnowEachOtherAsync();
        return cluster;
    }

    public async Task<SiloAddress> AddSiloAsync(TestSilo silo)
    {
        _roles.Add(silo);
        InProcessSiloHandle handle = await _cluster.StartAdditionalSiloAsync();
        await _cluster.WaitForLivenessToStabilizeAsync();
        await _cluster.WaitForClusterManifestToStabilizeAsync();
        await KnowEachOtherAsync();
        return handle.SiloAddress;
    }

    public IUserGrain User(UserId id) => Client.GetGrain<IUserGrain>(id.Value);

    /// <summary>Makes a user as the host does.</summary>
    public async Task<TestUser> CreateUserAsync(string name)
    {
        UserId id = await Client.GetGrain<IUserNameGrain>(EntityName.Parse(name).Folded).Claim(name);
        IssuedToken token = await User(id).Create(name);
        return new TestUser(id, name, token, User(id), Files);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TestSilo silo in _roles) silo.Device?.Open();
        await _cluster.DisposeAsync();
        _data.Dispose();
        _ownFolder?.Dispose();
    }

    private TestSilo RoleOf(string siloName) => _roles[int.Parse(siloName.Split('_')[^1], null)];

    /// <summary>Silos are asked what they are after they have joined; until each knows it of all, sessions and users are placed as if there were fewer.</summary>
    private Task KnowEachOtherAsync() => Eventually.TrueAsync(() => _cluster.Silos.All(silo => _cluster.Silos.All(other =>
        SiloRoles.Of(silo.ServiceProvider.GetRequiredService<ISiloMetadataCache>().GetSiloMetadata(other.SiloAddress)) is var known
        && RoleOf(other.Name) is var role && known.Core == role.Core && known.Accelerator == role.Device?.Device.Kind)));

    private void Configure(ISiloBuilder silo, TestSilo role)
    {
        silo.Services.AddSingleton<TimeProvider>(Time);
        silo.Services.AddSingleton(new TokenHasher(s_tokenKey));
        silo.Services.AddSingleton(new LeaseSigner(s_leaseKey, Time));
        silo.Services.AddSingleton<UserCatalog>();
        silo.Services.AddTinyLlmStorage(_data);
        silo.Services.AddSingleton(HostKeyRing.Open(_data.KeysPath));
        silo.Services.AddSingleton(s_signingKey);
        silo.Services.AddSingleton(new AuditLog(_data.Objects, s_auditKey, Time));
        silo.Services.Configure(role.Limits);
        silo.Services.Configure(role.Loop);
        silo.Services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Error));
        silo.AddTinyLlmGrainStorage();
        silo.AddTinyLlmGrains(new SiloRoles { Core = role.Core, Accelerator = role.Device?.Device.Kind, BudgetBytes = role.Device?.Device.BudgetBytes ?? 0 });
        if (role.Device is not null) silo.AddAccelerator(new Accelerator(role.Device));
        role.Silo(silo);
    }
}
