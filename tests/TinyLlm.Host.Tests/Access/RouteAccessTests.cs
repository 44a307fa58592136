using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Host.Access;

namespace TinyLlm.Host.Tests.Access;

/// <summary>Every route is closed but those that the contract opens. The routes are read from the endpoint table, so none can be forgotten.</summary>
public sealed class RouteAccessTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    private static readonly string[] OpenRoutes = ["/healthz/live", "/healthz/ready", "/openapi/v1.json"];

    /// <summary>Its handler decides between admin and oneself.</summary>
    private static readonly string[] RoutesThatDecideThemselves = ["DELETE /api/users/{id}"];

    private RouteEndpoint[] Routes => [.. fixture.Host.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()];

    [Fact]
    public void EveryRoute_HasAScope_UnlessTheContractSaysOtherwise()
    {
        Assert.True(Routes.Length > 20, $"only {Routes.Length} routes");
        foreach (RouteEndpoint route in Routes)
        {
            bool open = route.Metadata.GetMetadata<IAllowAnonymous>() is not null;
            Assert.Equal(OpenRoutes.Contains(Pattern(route)), open);
            if (open || RoutesThatDecideThemselves.Contains($"{Methods(route)[0]} {Pattern(route)}")) continue;
            Assert.True(route.Metadata.GetMetadata<RequiredScope>() is not null, $"{Pattern(route)} asks for no scope");
        }
    }

    [Fact]
    public async Task EveryClosedRoute_WithoutOrWithAWrongToken_Is401()
    {
        using HttpClient wrong = fixture.Host.Client("tlm_0000000000000000000000000000000000000000");
        foreach (RouteEndpoint route in Routes.Where(route => route.Metadata.GetMetadata<IAllowAnonymous>() is null))
        {
            foreach (string method in Methods(route))
            {
                foreach (HttpClient client in new[] { fixture.Host.Anonymous, wrong })
                {
                    using HttpRequestMessage request = new(new HttpMethod(method), Concrete(route));
                    using HttpResponseMessage response = await client.SendAsync(request);
                    Assert.True(response.StatusCode == HttpStatusCode.Unauthorized, $"{method} {Concrete(route)} gave {response.StatusCode}");
                    Assert.Equal("Bearer", response.Headers.WwwAuthenticate.ToString());
                }
            }
        }
    }

    [Fact]
    public async Task UnknownRoute_WithoutToken_Is401_AndWithOne_404()
    {
        using HttpResponseMessage without = await fixture.Host.Anonymous.GetAsync("/api/nothing");
        Assert.Equal(HttpStatusCode.Unauthorized, without.StatusCode);
        using HttpResponseMessage with = await fixture.Host.Admin.GetAsync("/api/nothing");
        Assert.Equal(HttpStatusCode.NotFound, with.StatusCode);
        Assert.Equal("application/problem+json", with.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task AdminToken_OnAUsersRoute_Is403NamingTheScope()
    {
        using HttpResponseMessage response = await fixture.Host.Admin.GetAsync("/v1/models");
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("'read'", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static string Pattern(RouteEndpoint route) => "/" + route.RoutePattern.RawText!.Trim('/');

    private static IReadOnlyList<string> Methods(RouteEndpoint route) => route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"];

    private static string Concrete(RouteEndpoint route) => System.Text.RegularExpressions.Regex.Replace(Pattern(route), @"\{[^}]+\}", "1");
}
