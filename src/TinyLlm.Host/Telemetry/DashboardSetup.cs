using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Net.Http.Headers;
using Orleans.Dashboard;
using TinyLlm.Grains.Access;
using TinyLlm.Host.Access;

namespace TinyLlm.Host.Telemetry;

/// <summary>
/// Orleans' own dashboard, for the operator, where it is switched on. It has no authentication of its own, so ours stands before each of its routes; what it says of logs is off, and
/// its view of grains' states is closed: they hold users' data.
/// </summary>
internal static class DashboardSetup
{
    private const string Path = "/dashboard";

    /// <summary>The page loads its scripts from beside itself, and sets styles in its elements.</summary>
    private const string PagePolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'";

    /// <summary>What every silo of the cluster needs for it.</summary>
    public static void AddDashboard(this ISiloBuilder silo, TelemetrySettings settings)
    {
        if (settings.Dashboard) silo.AddDashboard(options => options.HideTrace = true);
    }

    /// <summary>Its page and what that asks for.</summary>
    public static void MapDashboard(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<TelemetrySettings>().Dashboard) return;
        app.UseWhen(http => http.Request.Path.StartsWithSegments(Path), page => page.Use((http, next) =>
        {
            http.Response.Headers[HeaderNames.ContentSecurityPolicy] = PagePolicy;
            return next(http);
        }));
        RouteGroupBuilder routes = app.MapOrleansDashboard(Path);
        routes.RequireScope(TokenScopes.Admin);
        ((IEndpointConventionBuilder)routes).Add(static endpoint =>
        {
            if (endpoint is RouteEndpointBuilder { RoutePattern: { } pattern } route && ShowsState(pattern)) route.RequestDelegate = Closed;
        });
    }

    private static bool ShowsState(RoutePattern pattern) => pattern.RawText?.Contains("GrainState", StringComparison.OrdinalIgnoreCase) == true;

    private static Task Closed(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
