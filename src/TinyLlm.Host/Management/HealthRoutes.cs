namespace TinyLlm.Host.Management;

/// <summary>What a load balancer asks. Open to everybody, and tells nothing but a status.</summary>
internal static class HealthRoutes
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        // The server listens only after the silo has joined its cluster, so an answer at all means ready; while stopping it is not.
        routes.MapGet("/healthz/live", () => Results.Ok()).AllowAnonymous();
        routes.MapGet("/healthz/ready", (IHostApplicationLifetime lifetime) =>
            lifetime.ApplicationStarted.IsCancellationRequested && !lifetime.ApplicationStopping.IsCancellationRequested
                ? Results.Ok()
                : Results.StatusCode(StatusCodes.Status503ServiceUnavailable)).AllowAnonymous();
    }
}
