using System.Net;
using System.Text.RegularExpressions;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Management;

/// <summary>What load balancers and the manifests' probes ask, without a token.</summary>
public sealed partial class HealthRoutesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    [Fact]
    public async Task Probes_OfTheManifests_AreAnswered()
    {
        string[] paths = [.. Directory.EnumerateFiles(Path.Combine(TestData.RepositoryRoot, "manifests"), "*.yaml")
            .SelectMany(file => ProbePattern().Matches(File.ReadAllText(file))).Select(probe => probe.Groups[1].Value).Distinct()];

        Assert.Equal(["/healthz/live", "/healthz/ready"], paths.Order(StringComparer.Ordinal));
        foreach (string path in paths) Assert.Equal(HttpStatusCode.OK, await StatusAsync(path));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("/healthz/other")); // open without a token is what is there, and nothing else
    }

    private async Task<HttpStatusCode> StatusAsync(string path)
    {
        using HttpResponseMessage answer = await fixture.Host.Anonymous.GetAsync(path, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    [GeneratedRegex(@"httpGet:\s+path: (\S+)")]
    private static partial Regex ProbePattern();
}
