using System.Net;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Residency;
using TinyLlm.Host.Access;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Telemetry;

public sealed class DashboardTests
{
    [Fact]
    public async Task Dashboard_ByDefault_IsNotThere()
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));
        Assert.Empty(Routes(host));
        Assert.Equal(HttpStatusCode.NotFound, (await host.Admin.GetAsync("/dashboard/")).StatusCode);
    }

    [Fact]
    public async Task Dashboard_SwitchedOn_IsForTheOperatorAlone_AndShowsNoGrainsState()
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()), settings: ["--TinyLlm:Telemetry:Dashboard", "true"]);
        using HttpClient user = await host.CreateUserAsync("alice");
        RouteEndpoint[] routes = Routes(host);
        Assert.True(routes.Length > 5, $"only {routes.Length} routes");
        Assert.All(routes, route => Assert.Equal("admin", route.Metadata.GetMetadata<RequiredScope>()?.Name));
        foreach (string path in (string[])["/dashboard/", "/dashboard/DashboardCounters", "/dashboard/GrainState?grainId=x&grainType=y", "/dashboard/Trace"])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await host.Anonymous.GetAsync(path)).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await user.GetAsync(path)).StatusCode);
        }

        using HttpResponseMessage page = await host.Admin.GetAsync("/dashboard/");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("Orleans Dashboard", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await host.Admin.GetAsync("/dashboard/DashboardCounters")).StatusCode);
        Assert.Contains(routes, route => route.RoutePattern.RawText!.Contains("GrainState", StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.NotFound, (await host.Admin.GetAsync("/dashboard/GrainState?grainId=x&grainType=y")).StatusCode);
    }

    private static RouteEndpoint[] Routes(TestHost host) => [.. host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .Where(route => route.RoutePattern.RawText!.TrimStart('/').StartsWith("dashboard", StringComparison.Ordinal))];
}
