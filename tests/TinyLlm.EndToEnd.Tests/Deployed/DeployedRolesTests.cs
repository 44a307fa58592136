using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Deployed;

/// <summary>
/// What is published, started as its manifests start it: each role from the published folder, with the environment of its pod, as its user without rights in a root that
/// can't be written but for its volumes. Addresses and credentials are this machine's; the cluster's API is a server on loopback.
/// </summary>
public sealed class DeployedRolesTests
{
    [Fact(Timeout = 600_000)] // it asks again and again until the members have changed
    public async Task PublishedRoles_WithTheirManifestsEnvironment_JoinAndServeAChat()
    {
        await using DeployedCluster cluster = await DeployedCluster.StartAsync();
        DeployedHost core = await cluster.StartPodAsync("core", "core-0"); // makes the keys' files
        DeployedHost[] others = await Task.WhenAll(cluster.StartPodAsync("gpu", "gpu-0"), cluster.StartPodAsync("api", "api-0"));
        (DeployedHost gpu, DeployedHost api) = (others[0], others[1]);

        foreach (DeployedHost pod in (DeployedHost[])[core, gpu, api]) await AnswersItsProbesAsync(pod);
        string token = await PushAsync(cluster, api);
        await ChatAsync(cluster, api, token);

        // A pod that is gone, says the cluster's API, is a member no more, even if its process goes on (a node cut off): whoever starts has it declared dead.
        Assert.Contains($"{gpu.Address}:", await SilosAsync(cluster, api, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        cluster.Api!.Remove("gpu-0");
        DeployedHost next = await cluster.StartPodAsync("gpu", "gpu-1");
        string silos;
        do silos = await SilosAsync(cluster, api, TestContext.Current.CancellationToken); // until the API has heard of it
        while (silos.Contains($"{gpu.Address}:", StringComparison.Ordinal));
        Assert.Contains($"{next.Address}:", silos, StringComparison.Ordinal);
        await ChatAsync(cluster, api, token);
        Assert.Equal(0, await api.StopAsync());
    }

    /// <summary>Startup, readiness, liveness and the collector's scrape, as the manifests put them.</summary>
    private static async Task AnswersItsProbesAsync(DeployedHost pod)
    {
        using HttpClient client = new();
        PodProbe[] probes = [.. pod.Manifest.Probes];
        Assert.Equal(4, probes.Length);
        foreach (PodProbe probe in probes)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, $"http://{pod.Address}:{probe.Port}{probe.Path}");
            if (probe.Host is not null) request.Headers.Host = probe.Host;
            using HttpResponseMessage answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{probe}: {answer.StatusCode}\n{pod.Output}");
        }
    }

    /// <summary>A user and a model of theirs, by the command line. Answers the user's token.</summary>
    private static async Task<string> PushAsync(DeployedCluster cluster, DeployedHost api)
    {
        using TemporaryFolder folder = new();
        TinyModel.WriteTo(folder.Combine("model"));
        await File.WriteAllTextAsync(folder.Combine("token"), cluster.AdminToken, TestContext.Current.CancellationToken);
        Dictionary<string, string?> environment = new() { ["TINYLLM_URL"] = UrlOf(api), ["XDG_CONFIG_HOME"] = folder.Combine("config"), ["TINYLLM_TOKEN"] = null };
        await CliAsync("login", "--token-file", folder.Combine("token"));
        string token = await CliAsync("user", "add", "alice", "--login");
        await CliAsync("push", folder.Combine("model"), "--name", "tiny");
        return token;

        async Task<string> CliAsync(params string[] command)
        {
            ToolRun run = await ToolRun.RunAsync("dotnet", [TestBuild.Program("TinyLlm.Cli", "tinyllm.dll"), .. command], environment);
            Assert.True(run.ExitCode == 0, $"{command[0]}: {run.Out}{run.Error}\n{cluster.Output}");
            return run.Out.Trim();
        }
    }

    /// <summary>One answer of the model, asked for as its owner.</summary>
    private static async Task ChatAsync(DeployedCluster cluster, DeployedHost api, string token)
    {
        using HttpClient client = new() { BaseAddress = new Uri(UrlOf(api)) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        JsonObject body = new() { ["model"] = "tiny", ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello" }), ["max_tokens"] = 8, ["temperature"] = 0 };
        using HttpResponseMessage answer = await client.PostAsJsonAsync("v1/chat/completions", body, TestContext.Current.CancellationToken);
        string text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} {text}\n{cluster.Output}");
        JsonNode chat = JsonNode.Parse(text)!;
        Assert.Equal("assistant", (string?)chat["choices"]![0]!["message"]!["role"]);
        Assert.InRange((int)chat["usage"]!["completion_tokens"]!, 1, 8);
    }

    /// <summary>The members, as the operator sees them.</summary>
    private static async Task<string> SilosAsync(DeployedCluster cluster, DeployedHost api, CancellationToken cancellationToken)
    {
        using HttpClient client = new() { BaseAddress = new Uri(UrlOf(api)) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", cluster.AdminToken);
        return await client.GetStringAsync("api/admin/silos", cancellationToken);
    }

    private static string UrlOf(DeployedHost api) => $"http://{api.Address}:{api.Manifest.Probes.First().Port}/";
}
