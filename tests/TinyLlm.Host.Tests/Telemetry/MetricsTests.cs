using System.Net;
using System.Net.Http.Json;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Tests;
using TinyLlm.Host.Hosting;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Telemetry;

/// <summary>The metrics of a real host, scraped after real requests. They are the process's, so nothing runs beside them.</summary>
[Collection(RunsAlone.Name)]
public sealed class MetricsTests
{
    private const string Model = "unmistakable";

    private const string Prompt = "secret prompt";

    private static readonly object s_prompt = new { model = Model, prompt = Prompt, max_tokens = 5, temperature = 0, ignore_eos = true };

    [Fact]
    public async Task Scrape_AfterRequests_CountsExactlyThem()
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, Model);
        Exposition before = await ScrapeAsync(host.Admin);

        for (int i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.OK, (await user.PostAsJsonAsync("/v1/completions", s_prompt)).StatusCode);
        using (HttpResponseMessage chat = await user.PostAsJsonAsync("/v1/chat/completions", new { model = Model, messages = new[] { new { role = "user", content = "a" } }, max_tokens = 2, stream = true, ignore_eos = true }))
            Assert.Contains("[DONE]", await chat.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await user.PostAsJsonAsync("/v1/embeddings", new { model = Model, input = "ab" })).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await user.PostAsJsonAsync("/v1/completions", new { model = "absent", prompt = "a" })).StatusCode);
        await Eventually.TrueAsync(() => host.Models.Snapshot() is { Running: 0, Holds: 0 });
        Exposition after = await ScrapeAsync(host.Admin);

        double Grown(string name, params string[] labels) => after.Sum(name, labels) - before.Sum(name, labels);
        Assert.Equal(3, Grown("gen_ai_server_request_duration_seconds_count", "gen_ai_operation_name=\"text_completion\"") - Grown("gen_ai_server_request_duration_seconds_count", "error_type="));
        Assert.Equal(1, Grown("gen_ai_server_request_duration_seconds_count", "gen_ai_operation_name=\"text_completion\"", "error_type=\"not_found\"", "gen_ai_provider_name=\"tinyllm\""));
        Assert.Equal(1, Grown("gen_ai_server_request_duration_seconds_count", "gen_ai_operation_name=\"chat\""));
        Assert.Equal(1, Grown("gen_ai_server_request_duration_seconds_count", "gen_ai_operation_name=\"embeddings\""));
        Assert.Equal(4, Grown("gen_ai_server_time_to_first_token_seconds_count"));
        Assert.Equal(4, Grown("gen_ai_server_time_per_output_token_seconds_count"));
        Assert.Equal(1, Grown("tinyllm_requests_refused_total", "error=\"not_found\""));

        Assert.Equal(3 * 5 + 2, Grown("vllm:generation_tokens_total"));
        Assert.Equal(4, Grown("vllm:request_success_total", "finished_reason=\"length\""));
        Assert.Equal(1, Grown("vllm:request_success_total", "finished_reason=\"stop\"")); // the embedding
        Assert.Equal(4, Grown("vllm:time_to_first_token_seconds_count"));
        Assert.Equal(3 * 4 + 1, Grown("vllm:inter_token_latency_seconds_count"));
        Assert.Equal(5, Grown("vllm:request_prompt_tokens_count"));
        Assert.Equal(Grown("vllm:request_prompt_tokens_sum"), Grown("vllm:prompt_tokens_total"));
        Assert.InRange(Grown("vllm:prefix_cache_hits_total"), 0, Grown("vllm:prefix_cache_queries_total"));
        Assert.Equal(5, Grown("vllm:request_queue_time_seconds_count"));

        Assert.Equal(1, Grown("tinyllm_models_cache_misses_total"));
        Assert.Equal(4, Grown("tinyllm_models_cache_hits_total"));
        Assert.Equal(1, Grown("tinyllm_model_load_duration_seconds_count", "outcome=\"loaded\""));
        Assert.Equal(1, after.Sum("tinyllm_models_resident"));
        Assert.Equal(host.Models.Snapshot().ReservedBytes, after.Sum("tinyllm_device_reserved_bytes"));
        Assert.Equal(0, after.Sum("vllm:num_requests_running"));
        Assert.Equal(0, after.Sum("tinyllm_requests_unanswered"));
        Assert.Contains("vllm:kv_cache_usage_perc", after.Types.Keys);
        string[] secrets = [Prompt, user.DefaultRequestHeaders.Authorization!.Parameter!];
        Assert.All(["alice", Model, .. secrets], text => Assert.DoesNotContain(after.Series, series => series.Contains(text, StringComparison.OrdinalIgnoreCase)));
        foreach (string route in (string[])["/api/admin/silos", "/api/admin/models/resident"])
        {
            string seen = await host.Admin.GetStringAsync(route); // names models, and no more of them
            Assert.All(secrets, text => Assert.DoesNotContain(text, seen, StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task Scrape_WhileSequencesRunAndWait_ShowsHowMany()
    {
        SimulatedBackend device = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device), settings: ["--TinyLlm:Engine:MaxRunning", "2", "--TinyLlm:Engine:MaxBatch", "2"]);
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, Model);
        device.Hold();
        Task<HttpResponseMessage>[] asked = [.. Enumerable.Range(0, 5).Select(_ => user.PostAsJsonAsync("/v1/completions", s_prompt))];
        device.NextStep(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => host.Models.Snapshot() is { Running: > 0 } now && now.Running + now.Waiting == 5);

        Exposition held = await ScrapeAsync(host.Admin);
        Assert.Equal(host.Models.Snapshot().Running, held.Sum("vllm:num_requests_running"));
        Assert.Equal(host.Models.Snapshot().Waiting, held.Sum("vllm:num_requests_waiting"));
        Assert.Equal(5, held.Sum("tinyllm_requests_unanswered"));
        Assert.InRange(held.Sum("vllm:kv_cache_usage_perc"), double.Epsilon, 1);

        device.Open();
        foreach (HttpResponseMessage answer in await Task.WhenAll(asked)) Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Exposition after = await ScrapeAsync(host.Admin);
        Assert.Equal(0, after.Sum("vllm:num_requests_waiting"));
        Assert.Equal(0, after.Sum("tinyllm_requests_unanswered"));
    }

    /// <summary>
    /// The autoscaler asks how much the counter grew. Where a series began with its first refusal there was nothing to compare with, and the pool of accelerators stayed at none.
    /// </summary>
    [Fact]
    public async Task Scrape_BeforeAnyRequest_HasRefusalsAtZero()
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));

        Exposition scraped = await ScrapeAsync(host.Admin);

        Assert.Equal(0, scraped.Sum("tinyllm_requests_refused_total"));
        Assert.All(["no_accelerator", "no_capacity"], code => Assert.Single(scraped.Series, series =>
            series.StartsWith("tinyllm_requests_refused_total{", StringComparison.Ordinal) && series.Contains($"error=\"{code}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task MetricsAddress_ServesThemWithoutAToken_AndNothingElse()
    {
        int port = FreePort.OnLoopback();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()), settings: ["--TinyLlm:Telemetry:MetricsPort", $"{port}"]);
        using HttpClient scraper = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        Assert.Contains("vllm:num_requests_waiting", (await ScrapeAsync(scraper)).Types.Keys);
        foreach (string path in (string[])["/", "/v1/models", "/api/admin/silos", "/healthz/live", "/openapi/v1.json"])
            Assert.Equal(HttpStatusCode.NotFound, (await scraper.GetAsync(path)).StatusCode);

        // The port decides, not the name that is asked for.
        using HttpRequestMessage claimed = new(HttpMethod.Get, "/metrics") { Headers = { Host = $"127.0.0.1:{port}" } };
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Anonymous.SendAsync(claimed)).StatusCode);
    }

    [Theory]
    [InlineData("--TinyLlm:Telemetry:MetricsPort", "0", "MetricsPort")]
    [InlineData("--TinyLlm:Telemetry:MetricsAddress", "example.com", "MetricsAddress")]
    [InlineData("--TinyLlm:Telemetry:Otlp", "ftp://127.0.0.1", "Otlp")]
    [InlineData("--TinyLlm:Telemetry:TracedShare", "2", "TracedShare")]
    public async Task Start_MalformedSetting_IsRefusedNamingIt(string name, string value, string named)
    {
        HostStartException refusal = await Assert.ThrowsAsync<HostStartException>(() => TestHost.StartAsync(new Accelerator(new SimulatedBackend()), settings: [name, value]));
        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<Exposition> ScrapeAsync(HttpClient client)
    {
        using HttpResponseMessage response = await client.GetAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        return Exposition.Parse(await response.Content.ReadAsStringAsync());
    }
}
