using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Telemetry;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hosting;

namespace TinyLlm.Host.Telemetry;

/// <summary>Metrics for whoever scrapes them, metrics and traces for a collector, by OpenTelemetry.</summary>
internal static class TelemetrySetup
{
    private const string MetricsPath = "/metrics";

    // The framework's own: what HTTP, the runtime and the cluster do. Their labels are routes, statuses, grain types and silos.
    private static readonly string[] s_frameworkMeters = ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Microsoft.Orleans"];

    private static readonly string[] s_frameworkSources = ["Microsoft.AspNetCore", "Microsoft.Orleans.Application"];

    public static void AddTelemetry(this IServiceCollection services, TelemetrySettings settings)
    {
        if (settings.Otlp is { } named && (!named.IsAbsoluteUri || named.Scheme is not ("http" or "https")))
            throw new HostStartException("Telemetry:Otlp: must be an address such as http://127.0.0.1:4318.");
        services.AddSingleton(settings);
        services.AddSingleton<GenerationMeter>();
        OpenTelemetry.OpenTelemetryBuilder telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("tinyllm", serviceVersion: typeof(TelemetrySetup).Assembly.GetName().Version?.ToString(3)))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter([GenerationMeter.Name, .. TelemetryNames.Meters, .. s_frameworkMeters]);
                metrics.AddPrometheusExporter(options =>
                {
                    options.ScrapeResponseCacheDurationMilliseconds = 0; // an autoscaler wants what is, and scrapes are rare
                    options.TranslationStrategy = PrometheusAspNetCoreTranslationStrategy.UnderscoreEscapingWithSuffixes;
                });
                if (settings.Otlp is { } collector) metrics.AddOtlpExporter(exporter => Send(exporter, collector, "v1/metrics"));
            });
        if (settings.Otlp is not { } traces) return;
        telemetry.WithTracing(tracing => tracing
            .AddSource([.. TelemetryNames.Sources, .. s_frameworkSources])
            // By the trace's id, so that all processes agree; what a client says of its own trace would let it switch ours on.
            .SetSampler(new TraceIdRatioBasedSampler(settings.TracedShare))
            .AddOtlpExporter(exporter => Send(exporter, traces, "v1/traces")));
    }

    /// <summary>The address without a token, before anything that asks for one. Decided by the port that the connection came to: a header could claim any.</summary>
    public static void UseMetricsAddress(this WebApplication app)
    {
        if (app.Services.GetRequiredService<TelemetrySettings>().MetricsPort is not { } port) return;
        app.MapWhen(http => http.Connection.LocalPort == port, branch =>
        {
            branch.Use(VllmNames.WriteAsync);
            branch.UseOpenTelemetryPrometheusScrapingEndpoint(MetricsPath);
        });
    }

    /// <summary>The same metrics on the API, for the operator.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder routes) => routes
        .MapPrometheusScrapingEndpoint(MetricsPath, meterProvider: null, configureBranchedPipeline: branch => branch.Use(VllmNames.WriteAsync), optionsName: null)
        .RequireScope(TokenScopes.Admin);

    private static void Send(OtlpExporterOptions exporter, Uri collector, string path)
    {
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri(collector.AbsoluteUri.EndsWith('/') ? collector : new Uri(collector.AbsoluteUri + "/"), path);
    }
}
