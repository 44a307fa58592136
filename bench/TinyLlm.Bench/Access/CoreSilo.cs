using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TinyLlm.Bench.Serve;
using TinyLlm.Grains;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Sharing;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Bench.Access;

/// <summary>A silo of the core role in this process, over a folder of its own, with an owner whose model is granted to a caller.</summary>
internal sealed class CoreSilo : IAsyncDisposable
{
    public const string Model = "tiny";

    private readonly IHost _host;
    private readonly DataFolder _data;
    private readonly string _folder;

    private CoreSilo(IHost host, DataFolder data, string folder) => (_host, _data, _folder) = (host, data, folder);

    /// <summary>A grain that reads its state and answers.</summary>
    public required IUserNameGrain Names { get; init; }

    public required IUserGrain Owner { get; init; }

    public required IUserGrain Caller { get; init; }

    /// <summary>The caller's.</summary>
    public required string Token { get; init; }

    public static async Task<CoreSilo> StartAsync()
    {
        string folder = Directory.CreateTempSubdirectory("tinyllm-bench-").FullName;
        DataFolder data = DataFolder.Open(folder, TimeProvider.System);
        IHost host = await StartHostAsync(services => services.AddTinyLlmStorage(data), data.KeysPath);

        IGrainFactory grains = host.Services.GetRequiredService<IGrainFactory>();
        (IUserGrain owner, UserId ownerId, _) = await CreateAsync(grains, "owner");
        (IUserGrain caller, UserId callerId, string token) = await CreateAsync(grains, "caller");
        await PublishAsync(owner, ownerId, host.Services.GetRequiredService<ModelFiles>());
        await owner.Grant(new GrantSpec { Model = Model, Grantee = callerId, GranteeName = "caller", Rights = ModelRight.Infer, TokenBudget = long.MaxValue / 2 });
        return new CoreSilo(host, data, folder) { Names = grains.GetGrain<IUserNameGrain>("owner"), Owner = owner, Caller = caller, Token = token };
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
        _data.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Starts a silo of the core role over stores of any kind.</summary>
    public static async Task<IHost> StartHostAsync(Action<IServiceCollection> addStorage, string keysPath)
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Error);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(siloPort: HostProcess.FreePort(), gatewayPort: HostProcess.FreePort());
            silo.Services.AddSingleton(TimeProvider.System);
            silo.Services.AddSingleton(new TokenHasher(new byte[TokenHash.KeyBytes]));
            silo.Services.AddSingleton(new LeaseSigner(new byte[32], TimeProvider.System));
            AuditKey auditKey = AuditKey.Parse(AuditKey.NewText());
            silo.Services.AddSingleton(_ => auditKey);
            silo.Services.AddSingleton<AuditLog>();
            SigningKey signingKey = SigningKey.Parse(SigningKey.NewText());
            silo.Services.AddSingleton(_ => signingKey);
            silo.Services.AddSingleton(HostKeyRing.Open(keysPath));
            addStorage(silo.Services);
            // So that the rates never end the measurement.
            silo.Services.Configure<UserLimits>(limits => (limits.RequestsPerMinute, limits.TokensPerMinute) = (1_000_000_000, 1_000_000_000));
            silo.AddTinyLlmGrainStorage();
            silo.AddTinyLlmGrains(new SiloRoles { Core = true });
        });
        IHost host = builder.Build();
        await host.StartAsync();
        return host;
    }

    public static async Task<(IUserGrain User, UserId Id, string Token)> CreateAsync(IGrainFactory grains, string name)
    {
        UserId id = await grains.GetGrain<IUserNameGrain>(name).Claim(name);
        IUserGrain user = grains.GetGrain<IUserGrain>(id.Value);
        return (user, id, (await user.Create(name)).Text);
    }

    /// <summary>A version of which only the record matters here: nothing loads it.</summary>
    private static async Task PublishAsync(IUserGrain owner, UserId id, ModelFiles files)
    {
        const string File = "README.md";
        UploadTicket upload = await owner.BeginUpload(Model, null);
        WriteLease lease = await owner.BeginWrite(Model, upload.UploadId, File, WriteClaim.New(silo: null));
        await files.AppendAsync(id, lease.Version, ModelFileName.Parse(File), 0, new MemoryStream([1]), lease.MaxBytes, null, lease.Key, CancellationToken.None);
        await owner.EndWrite(upload.UploadId, lease.LeaseId, 1);
        CommitTicket ticket = await owner.BeginCommit(Model, upload.UploadId, CommitClaim.New(silo: null));
        ModelManifest manifest = await files.SealAsync(id, ticket.Version, ticket.Key, CancellationToken.None);
        await owner.CompleteCommit(upload.UploadId, manifest.Digest.Hex, new ModelFacts
        {
            Architecture = "LlamaForCausalLM",
            Parameters = 1,
            Tensors = 1,
            StoredBytes = 1,
            ContextLength = 2048,
            VocabularySize = 512,
        });
    }
}
