using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Configuration.Memory;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Audit;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Audit;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Management;
using TinyLlm.Host.Models;
using TinyLlm.Host.OpenAi;
using TinyLlm.Host.Secrets;
using TinyLlm.Host.Telemetry;
using TinyLlm.Host.Usage;
using TinyLlm.Storage;

namespace TinyLlm.Host.Hosting;

/// <summary>
/// The composition root: the embedded host, all roles in one process. Opens the data folder and the device first, because a host that lacks
/// either must say so before it joins anything.
/// </summary>
internal static class TinyLlmApplication
{
    internal const string DefaultUrl = "http://127.0.0.1:5080";

    private const int LeaseKeyBytes = 32;

    /// <summary>The host, ready to run.</summary>
    public static WebApplication Build(HostArguments arguments) => Complete(CreateBuilder(arguments, OpenDevice));

    /// <summary>
    /// Everything registered, nothing built: a host that differs in its device, or adds a service, goes on from here.
    /// </summary>
    internal static WebApplicationBuilder CreateBuilder(HostArguments arguments, Func<HostOptions, Accelerator?> openDevice)
    {
        WebApplicationBuilder builder = Configure(arguments);
        VaultSecrets? vault = OpenVault(builder.Configuration);
        HostOptions options = ReadOptions<HostOptions>(builder.Configuration, HostOptions.Section);
        ClusterSettings cluster = ReadOptions<ClusterSettings>(builder.Configuration, ClusterSettings.Section);
        StorageSettings storage = ReadOptions<StorageSettings>(builder.Configuration, StorageSettings.Section);
        TelemetrySettings telemetry = ReadOptions<TelemetrySettings>(builder.Configuration, TelemetrySettings.Section);
        HostRoles roles = HostRoles.Parse(options.Roles);
        CheckTogether(roles, cluster, storage);
        string urls = builder.Configuration["urls"] is { Length: > 0 } named ? named : DefaultUrl;
        builder.WebHost.UseUrls(telemetry.MetricsUrl is { } metrics ? $"{urls};{metrics}" : urls);

        DataFolder data = OpenData(options);
        Accelerator? accelerator = roles.Gpu ? openDevice(options) : null;

        ConfigureLogging(builder.Logging);
        builder.AddHttpHardening(ReadOptions<HttpOptions>(builder.Configuration, HttpOptions.Section));
        builder.Services.AddTelemetry(telemetry);
        AddKeys(builder.Services, roles, vault is null ? new SecretFiles(data) : vault);
        AddServices(builder.Services, roles);
        builder.Services.AddSingleton(roles);
        builder.Services.AddSingleton(_ => data); // a factory, so that the container disposes it, and unlocks the folder, last
        builder.AddTinyLlmSilo(roles, cluster, accelerator, telemetry);
        // After the silo, and so stopped before it: what was counted is told while there is somebody to tell.
        if (roles.Api) builder.Services.AddHostedService(services => services.GetRequiredService<FailedAuthentications>());
        builder.Services.AddTinyLlmStorage(storage, data, roles); // after what is checked without the network
        return builder;
    }

    internal static WebApplication Complete(WebApplicationBuilder builder)
    {
        WebApplication app = builder.Build();
        DataFolder data = app.Services.GetRequiredService<DataFolder>();
        HostRoles roles = app.Services.GetRequiredService<HostRoles>();
        MapRoutes(app, roles);
        app.Services.GetService<ModelHost>(); // its metrics, and its device's, are there before the first request: zero is a value
        app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine(
            StartupReport.Write(app.Services.GetRequiredService<IServer>(), app.Services.GetRequiredService<TelemetrySettings>(), roles, data.AdminTokenPath, app.Services.GetService<Accelerator>())));
        return app;
    }

    /// <summary>The configuration of a process and nothing else: what the command line says goes before the environment, and that before appsettings.json.</summary>
    internal static WebApplicationBuilder Configure(HostArguments arguments)
    {
        // The content root is the program's own folder, so that it starts alike from any directory.
        WebApplicationBuilder builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.AddInMemoryCollection(arguments.Settings);
        return builder;
    }

    /// <summary>Refuses settings that are fine each for itself, and not together.</summary>
    internal static void CheckTogether(HostRoles roles, ClusterSettings cluster, StorageSettings storage)
    {
        if (cluster.Redis is null && roles != HostRoles.All)
            throw new HostStartException($"Roles: {roles} alone serves nobody: name the Redis of its cluster with --TinyLlm:Cluster:Redis, or leave --roles out.");
        if (cluster.Redis is not null && !storage.IsAccount)
            throw new HostStartException("Storage: the processes of a cluster share a storage account: name it with --TinyLlm:Storage:AccountUri or TinyLlm__Storage__ConnectionString.");
    }

    /// <summary>The vault that is configured, its options put before the environment's and after the command line's; null: there is none.</summary>
    private static VaultSecrets? OpenVault(ConfigurationManager configuration)
    {
        if (ReadOptions<KeyVaultSettings>(configuration, KeyVaultSettings.Section).Uri is not { } uri) return null;
        VaultSecrets vault = VaultSecrets.Open(uri);
        try
        {
            IList<IConfigurationSource> sources = ((IConfigurationBuilder)configuration).Sources;
            sources.Insert(sources.Count - 1, new MemoryConfigurationSource { InitialData = vault.ReadOptions() });
        }
        catch (StoreException exception)
        {
            throw new HostStartException($"KeyVault: {exception.Message}.", exception);
        }
        return vault;
    }

    internal static T ReadOptions<T>(ConfigurationManager configuration, string section)
        where T : new()
    {
        T options = new();
        try
        {
            configuration.GetSection(section).Bind(options);
        }
        catch (InvalidOperationException exception)
        {
            throw new HostStartException($"the section '{section}' of the configuration can't be read: {exception.InnerException?.Message ?? exception.Message}", exception);
        }
        List<ValidationResult> errors = [];
        if (Validator.TryValidateObject(options, new ValidationContext(options), errors, validateAllProperties: true)) return options;
        throw new HostStartException(string.Join(" ", errors.Select(error => error.ErrorMessage)));
    }

    private static DataFolder OpenData(HostOptions options)
    {
        try
        {
            return DataFolder.Open(options.Data, TimeProvider.System, options.Keys);
        }
        catch (Exception exception) when (exception is StoreException or IOException or UnauthorizedAccessException)
        {
            throw new HostStartException(exception.Message, exception);
        }
    }

    private static Accelerator? OpenDevice(HostOptions options)
    {
        if (options.Device == HostOptions.NoDevice) return null;
        try
        {
            return Accelerator.OpenTorch(options.Device, options.BudgetBytes, options.Threads);
        }
        catch (ArgumentException exception)
        {
            throw new HostStartException(exception.Message, exception);
        }
    }

    private static void ConfigureLogging(ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console => console.SingleLine = true);
        logging.AddFilter(null, LogLevel.Warning);
        logging.AddFilter("TinyLlm", LogLevel.Information);
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error); // it counts the time before the start as a stall
        logging.AddFilter(typeof(BearerAuthentication).FullName, LogLevel.Warning); // the framework's line per refused token
    }

    /// <summary>A process holds the keys of its roles, and no others: the API's the admin token, the core's those of tokens, audit, users' keys and signatures, core and sessions that of leases.</summary>
    internal static void AddKeys(IServiceCollection services, HostRoles roles, HostSecrets secrets)
    {
        services.AddSingleton(secrets);
        try
        {
            if (roles.Api) services.AddSingleton(new AdminToken(secrets.Read(HostSecrets.AdminToken, AdminToken.NewText)));
            if (roles.Core)
            {
                services.AddSingleton(new TokenHasher(secrets.ReadKey("tokens", TokenHash.KeyBytes)));
                AuditKey auditKey = AuditKey.Parse(secrets.Read("audit", AuditKey.NewText));
                services.AddSingleton(_ => auditKey); // a factory, so that the container disposes it
                services.AddSingleton<AuditLog>();
                services.AddSingleton(secrets.OpenHostKeys());
                SigningKey signingKey = SigningKey.Parse(secrets.Read("signing", SigningKey.NewText));
                services.AddSingleton(_ => signingKey);
            }
            if (roles.Core || roles.Gpu) services.AddSingleton(new LeaseSigner(secrets.ReadKey("leases", LeaseKeyBytes), TimeProvider.System));
        }
        catch (StoreException exception)
        {
            throw new HostStartException($"Keys: {exception.Message}.", exception);
        }
    }

    private static void AddServices(IServiceCollection services, HostRoles roles)
    {
        services.AddSingleton(TimeProvider.System);
        services.AddAddressLimits();
        if (roles.Api) services.AddAccess(); // where nobody signs in, the framework must not find anything to sign in with
        services.AddSingleton<ModelDirectory>();
        services.AddSingleton<WriteRights>();
        services.AddSingleton<UploadService>();
        services.AddSingleton<UserCatalog>();
        services.AddSingleton<GenerationStarter>();
        services.AddSingleton<EmbeddingStarter>();
        services.AddSingleton<AnswerWriter>();
        services.AddOpenApi("v1", options => options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "TinyLlm";
            document.Servers?.Clear(); // the Host header of whoever asked says nothing
            return Task.CompletedTask;
        }));
    }

    private static void MapRoutes(WebApplication app, HostRoles roles)
    {
        app.UseMetricsAddress();
        app.UseHttpHardening();
        app.MapHealth();
        if (!roles.Api) return; // nobody can sign in here: this process does not even know the operator's token
        app.UseMiddleware<RateRefusals>();
        app.UseAuthentication();
        app.Use((http, next) =>
        {
            // Who acts, for the audit logs of the grains that this request calls.
            if (http.Features.Get<Caller>() is { } caller) AuditActor.Current = caller.Actor;
            return next(http);
        });
        app.UseAuthorization();
        app.MapOpenApi("/openapi/v1.json").AllowAnonymous(); // one document: a name in the path would only be echoed
        app.MapMetrics();
        app.MapDashboard();
        app.MapSilos();
        app.MapKeepAlive();
        app.MapUsers();
        app.MapTokens();
        app.MapAudit();
        app.MapUsage();
        app.MapGrants();
        app.MapQuotas();
        app.MapUploads();
        app.MapModels();
        app.MapKeys();
        app.MapTrust();
        app.MapModelList();
        app.MapGeneration();
        app.MapEmbeddings();
        app.MapTokenization();
    }
}
