using System.Net;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using TinyLlm.Grains.Errors;
using TinyLlm.Host.Access;
using TinyLlm.Host.Errors;
using TinyLlm.Host.Hosting;

namespace TinyLlm.Host.Hardening;

/// <summary>The server's bounds, and the middleware that every request passes first.</summary>
internal static class HttpHardening
{
    /// <summary>Bodies of our JSON routes are bounded tighter by their readers; uploads lift this bound for themselves.</summary>
    private const long MaxBodyBytes = 8 << 20;

    /// <summary>What a client must send or take once it has begun; slower ones hold a connection for nothing.</summary>
    private static readonly MinDataRate SlowestClient = new(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(10));

    public static void AddHttpHardening(this WebApplicationBuilder builder, HttpOptions options)
    {
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<ReaderPatience>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxConcurrentConnections = options.MaxConnections;
            kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
            kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
            kestrel.Limits.MaxRequestHeaderCount = 64;
            kestrel.Limits.MaxRequestLineSize = 8 * 1024;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(120);
            kestrel.Limits.MinRequestBodyDataRate = SlowestClient;
            kestrel.Limits.MinResponseDataRate = SlowestClient;
        });
        builder.Services.AddRequestTimeouts(timeouts => timeouts.DefaultPolicy = new RequestTimeoutPolicy
        {
            Timeout = options.RequestTimeout,
            TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable,
            WriteTimeoutResponse = static http =>
            {
                http.RequestAborted = CancellationToken.None; // it is the request's work that was ended, not its answer
                http.Response.Headers.Connection = "close"; // what is left of the body is not read
                return ErrorWriter.WriteAsync(
                    http, new RequestException(RequestError.NoCapacity, "The request was not done in the time that it may take: try again.") { RetryAfter = TimeSpan.FromSeconds(5) });
            },
        });
        if (HttpOptions.Split(options.CorsOrigins) is { Length: > 0 } origins)
        {
            builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(origins).AllowAnyHeader().AllowAnyMethod()));
        }
        if (Proxies(options) is { Length: > 0 } proxies) // a single address is a network of one
        {
            builder.Services.Configure<ForwardedHeadersOptions>(forwarded =>
            {
                forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
                forwarded.KnownProxies.Clear();
                forwarded.KnownIPNetworks.Clear();
                foreach (System.Net.IPNetwork proxy in proxies) forwarded.KnownIPNetworks.Add(proxy);
            });
        }
    }

    /// <summary>Before routing: errors become answers, and what no route needs to see ends here.</summary>
    public static void UseHttpHardening(this WebApplication app)
    {
        HttpOptions options = app.Services.GetRequiredService<HttpOptions>();
        if (HttpOptions.Split(options.TrustedProxies).Length > 0) app.UseForwardedHeaders();
        app.Use((http, next) => SecurityHeaders.InvokeAsync(http, next));
        app.UseMiddleware<ErrorMiddleware>();
        app.UseMiddleware<HostNames>();
        app.UseMiddleware<AddressLimits>();
        app.UseRouting();
        if (HttpOptions.Split(options.CorsOrigins).Length > 0) app.UseCors();
        app.UseRequestTimeouts();
    }

    private static System.Net.IPNetwork[] Proxies(HttpOptions options) =>
    [
        .. HttpOptions.Split(options.TrustedProxies).Select(text =>
            IPAddress.TryParse(text, out IPAddress? address) ? new System.Net.IPNetwork(address, address.GetAddressBytes().Length * 8)
            : System.Net.IPNetwork.TryParse(text, out System.Net.IPNetwork network) ? network
            : throw new HostStartException($"Http:TrustedProxies: '{text}' is neither an IP address nor a network such as 10.244.0.0/16.")),
    ];
}
