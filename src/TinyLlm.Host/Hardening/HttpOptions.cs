using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Host.Hardening;

/// <summary>
/// How the HTTP server meets the world, in the section "TinyLlm:Http". Certificates and further limits are Kestrel's own section:
/// <c>Kestrel:Certificates:Default:Path</c> and <c>KeyPath</c> with an https address make TLS and HTTP/2.
/// </summary>
internal sealed class HttpOptions
{
    public const string Section = "TinyLlm:Http";

    /// <summary>
    /// Names that requests may ask for in their Host header, with ";" between; "*.example.com" is every name below it, "*" any name. Default: the loopback
    /// names while the host listens on loopback alone, so that no web page reaches it under a name of its own (DNS rebinding); else any name.
    /// </summary>
    public string? AllowedHosts { get; set; }

    /// <summary>Origins, with ";" between, whose pages may call this API from a browser. Default none.</summary>
    public string? CorsOrigins { get; set; }

    /// <summary>Addresses or networks (10.244.0.0/16), with ";" between, of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Default none.</summary>
    public string? TrustedProxies { get; set; }

    /// <summary>How long an ordinary request may take. Default 60 s. Uploads, downloads, commits and answers take what they take.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "Http:RequestTimeout: must be 1 second to 1 hour.")]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an answer, a download or an export waits for a client that takes nothing of it. Default 30 s: a stalled connection, not a slow one.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "Http:SlowReaderDeadline: must be 1 second to 1 hour.")]
    public TimeSpan SlowReaderDeadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Connections at the same time. Default 20,000: below what a process may have open as a rule.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Http:MaxConnections: must be 1 to 1000000.")]
    public long MaxConnections { get; set; } = 20_000;

    public static string[] Split(string? list) => list?.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
}
