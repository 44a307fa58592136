using Microsoft.Net.Http.Headers;

namespace TinyLlm.Host.Hardening;

/// <summary>Headers that keep browsers from making more of an answer than it is. A route that has set one keeps its own.</summary>
internal static class SecurityHeaders
{
    private static readonly (string Name, string Value)[] Always =
    [
        (HeaderNames.XContentTypeOptions, "nosniff"),
        (HeaderNames.XFrameOptions, "DENY"),
        (HeaderNames.ContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        (HeaderNames.CacheControl, "no-store"),
    ];

    /// <summary>A year, as browsers' preload lists ask for at least.</summary>
    private const string StrictTransport = "max-age=31536000";

    public static Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        http.Response.OnStarting(static state =>
        {
            HttpContext started = (HttpContext)state;
            foreach ((string name, string value) in Always) started.Response.Headers.TryAdd(name, value);
            if (started.Request.IsHttps) started.Response.Headers.TryAdd(HeaderNames.StrictTransportSecurity, StrictTransport);
            return Task.CompletedTask;
        }, http);
        return next(http);
    }
}
