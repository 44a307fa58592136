using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Host.Telemetry;

/// <summary>Who learns what the host does, in the section "TinyLlm:Telemetry". The operator's token opens /metrics of the API in any case.</summary>
internal sealed class TelemetrySettings
{
    public const string Section = "TinyLlm:Telemetry";

    /// <summary>A port that serves /metrics, and nothing else, without a token. Default: none. The only way to the metrics of a process without the API.</summary>
    [Range(1, 65535, ErrorMessage = "Telemetry:MetricsPort: must be 1 to 65535.")]
    public int? MetricsPort { get; set; }

    /// <summary>The IP address of that port. Default 127.0.0.1; where others scrape, a network policy says who.</summary>
    [RegularExpression(@"^([0-9.]+|\[[0-9A-Fa-f:]+\])$", ErrorMessage = "Telemetry:MetricsAddress: must be an IP address, one of version 6 in brackets.")]
    public string MetricsAddress { get; set; } = "127.0.0.1";

    /// <summary>
    /// A collector that takes OTLP over HTTP, such as http://127.0.0.1:4318: metrics go to its v1/metrics, traces to v1/traces. Default: none. Headers that it needs are
    /// secrets: OTEL_EXPORTER_OTLP_HEADERS in the environment.
    /// </summary>
    public Uri? Otlp { get; set; }

    /// <summary>The share of requests that are traced, where there is a collector. Default a tenth: every token that crosses processes is a span.</summary>
    [Range(0.0, 1.0, ErrorMessage = "Telemetry:TracedShare: must be between 0 and 1.")]
    public double TracedShare { get; set; } = 0.1;

    /// <summary>Whether Orleans' dashboard is at /dashboard of the API, for the operator's token. Every process of a cluster says the same. Default false.</summary>
    public bool Dashboard { get; set; }

    /// <summary>Where the metrics listen, or null.</summary>
    public string? MetricsUrl => MetricsPort is { } port ? $"http://{MetricsAddress}:{port}" : null;
}
