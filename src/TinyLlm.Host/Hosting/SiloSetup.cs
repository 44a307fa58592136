using System.Net;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using StackExchange.Redis;
using TinyLlm.Grains;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Clustering;
using TinyLlm.Host.Telemetry;
using TinyLlm.Storage;

namespace TinyLlm.Host.Hosting;

/// <summary>This process as an Orleans silo: alone, or a member of a cluster that finds itself by Redis.</summary>
internal static class SiloSetup
{
    /// <summary>What a process is given to leave its cluster after its running answers have ended, or were cut.</summary>
    public static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(15);

    public static void AddTinyLlmSilo(this WebApplicationBuilder builder, HostRoles roles, ClusterSettings cluster, Accelerator? accelerator, TelemetrySettings telemetry)
    {
        // The generic host's own limit would end the process together with the drain, before it has said goodbye.
        builder.Services.AddOptions<Microsoft.Extensions.Hosting.HostOptions>()
            .Configure<IOptions<SessionDrainOptions>>((host, drain) => host.ShutdownTimeout = drain.Value.Deadline + LeaveTime);
        builder.UseOrleans(silo =>
        {
            if (cluster.Redis is null) JoinNobody(silo);
            else Join(silo, cluster, ParseRedis(cluster.Redis), ParseAddress(cluster.Address));
#if OFFICIAL_ORLEANS_AZURE_STORAGE
            silo.AddAzureBlobGrainStorage(GrainStorageHosting.DefaultName, options => options
                .Configure<Azure.Storage.Blobs.BlobServiceClient, Microsoft.Extensions.Options.IOptions<Orleans.Serialization.SystemTextJsonGrainStorageSerializerOptions>>((storage, account, json) =>
                {
                    storage.BlobServiceClient = account;
                    storage.ContainerName = DataFolder.GrainStateContainer;
                    storage.GrainStorageSerializer = new Orleans.Storage.SystemTextJsonGrainStorageSerializer(json);
                }));
#else
            silo.AddTinyLlmGrainStorage();
#endif
            silo.AddTinyLlmGrains(new SiloRoles { Api = roles.Api, Core = roles.Core, Accelerator = accelerator?.Kind, BudgetBytes = accelerator?.BudgetBytes ?? 0 });
            silo.AddDashboard(telemetry);
            if (telemetry.Otlp is not null) silo.AddActivityPropagation(); // a grain's work belongs to the request that called it
            if (roles.Core) silo.AddCollection();
            if (accelerator is not null) silo.AddAccelerator(accelerator);
        });
    }

    /// <summary>
    /// Nobody but this process joins: any free port will do. Whoever speaks to a silo calls grains without a token, and loopback is open to every account of the machine: so there
    /// is no gateway, and a silo that sends nothing to itself needs no connection from anybody.
    /// </summary>
    private static void JoinNobody(ISiloBuilder silo)
    {
        silo.UseLocalhostClustering(siloPort: FreePort.OnLoopback(), gatewayPort: 0);
        silo.Configure<SiloConnectionOptions>(options => options.ConfigureSiloInboundConnection(connections => connections.Use(_ => static connection =>
        {
            connection.Abort();
            return Task.CompletedTask;
        })));
    }

    private static void Join(ISiloBuilder silo, ClusterSettings cluster, ConfigurationOptions redis, IPAddress address)
    {
        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.Id, cluster.Id));
        silo.UseRedisClustering(options => options.ConfigurationOptions = redis);
        if (cluster.Kubernetes) silo.UseKubernetesHosting();
        // No gateway: whoever calls grains is a silo of the cluster.
        int port = cluster.SiloPort == 0 ? FreePort.OnLoopback() : cluster.SiloPort;
        silo.ConfigureEndpoints(address, port, gatewayPort: 0);
        // Said in so many words: where nothing is said, Orleans' hosting for Kubernetes listens on every address.
        silo.Configure<EndpointOptions>(options => options.SiloListeningEndpoint = new IPEndPoint(IPAddress.IsLoopback(address) ? address : IPAddress.Any, port));
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = cluster.ProbeInterval;
            // Not from half of it to four times as much, as Orleans adapts it to the answers: where they are quick, a process that starts on a busy machine
            // was given up before it had said a word, and one that falls silent is not given up for as long as the longest would last.
            options.MinProbeTimeout = options.MaxProbeTimeout = cluster.ProbeInterval;
            options.NumMissedProbesLimit = cluster.MissedProbes;
        });
        silo.Services.AddSingleton<DeathWatch>();
        silo.Configure<SiloConnectionOptions>(DeathWatch.Watch);
    }

    /// <summary>Refuses what can't be a Redis or an address, before anything is opened.</summary>
    public static void Check(ClusterSettings cluster)
    {
        if (cluster.Redis is { } redis) ParseRedis(redis);
        ParseAddress(cluster.Address);
    }

    private static ConfigurationOptions ParseRedis(string text)
    {
        try
        {
            ConfigurationOptions options = ConfigurationOptions.Parse(text);
            options.AbortOnConnectFail = false; // it may be a moment late, or restart
            return options;
        }
        catch (ArgumentException exception)
        {
            // Not its message: the text may hold a password.
            throw new HostStartException("Cluster:Redis: is no connection string of StackExchange.Redis, such as \"host:6379,password=...\".", exception);
        }
    }

    private static IPAddress ParseAddress(string text) =>
        IPAddress.TryParse(text, out IPAddress? address) ? address : throw new HostStartException($"Cluster:Address: '{text}' is no IP address.");
}
