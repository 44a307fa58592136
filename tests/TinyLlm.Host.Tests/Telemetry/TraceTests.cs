using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Tests;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Telemetry;

/// <summary>One request's trace, from HTTP through the grain to the steps of the engine, and what a collector gets. Spans are the process's, so nothing runs beside them.</summary>
[Collection(RunsAlone.Name)]
public sealed class TraceTests
{
    /// <summary>So many that their text is found again.</summary>
    private const int Tokens = 12;

    private const string Root = "Microsoft.AspNetCore.Hosting.HttpRequestIn";

    private static readonly string[] s_engineSpans = ["engine.wait", "engine.prefill", "engine.decode"];

    [Fact]
    public async Task Request_WithACollector_IsOneTraceFromHttpToTheEnginesSteps()
    {
        await using Collector collector = await Collector.StartAsync();
        await using TestHost host = await TestHost.StartAsync(
            new Accelerator(new SimulatedBackend { Next = ids => 'a' + ids.Length % 20 }), settings: ["--TinyLlm:Telemetry:Otlp", collector.Address, "--TinyLlm:Telemetry:TracedShare", "1"]);
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        ConcurrentQueue<Activity> spans = [];
        using ActivityListener listener = new() { ShouldListenTo = _ => true, ActivityStopped = spans.Enqueue };
        ActivitySource.AddActivityListener(listener);

        ActivityTraceId trace = ActivityTraceId.CreateRandom();
        ActivitySpanId client = ActivitySpanId.CreateRandom();
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { model = "m", prompt = "secretprompt", max_tokens = Tokens, temperature = 0, ignore_eos = true }),
            Headers = { { "traceparent", $"00-{trace}-{client}-00" } }, // not marked as sampled: ours does not ask the client
        };
        string completion;
        using (HttpResponseMessage answer = await user.SendAsync(request))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            completion = (await TestHost.Json(answer)).GetProperty("choices")[0].GetProperty("text").GetString()!;
            Assert.Matches("^[!-~]{8,}", completion);
        }
        // Each ends when it will, and all up to the root have ended before they are looked at.
        Dictionary<ActivitySpanId, Activity> Ended() => spans.Where(span => span.TraceId == trace).ToDictionary(span => span.SpanId);
        await Eventually.TrueAsync(() => Ended() is var ended && s_engineSpans.All(name => ended.Values.Any(span => span.OperationName == name && PathToRoot(span, ended).Last() == Root)));

        Dictionary<ActivitySpanId, Activity> mine = Ended();
        foreach (string name in s_engineSpans)
        {
            string[] path = [.. PathToRoot(mine.Values.Single(span => span.OperationName == name), mine)];
            Assert.Equal([name, "session.generate"], path[..2]);
            Assert.Equal(Root, path[^1]);
            Assert.True(path.Length > 3, $"no grain call between {string.Join(" < ", path)}");
        }
        Assert.Contains(mine.Values, span => span.OperationName == "model.load");
        Activity decode = mine.Values.Single(span => span.OperationName == "engine.decode");
        Assert.Equal(Tokens - 1, decode.Events.Count(step => step.Name == "engine.step")); // the prompt's step made the first token
        Assert.Equal(Tokens, decode.GetTagItem("gen_ai.usage.output_tokens"));

        Assert.True(host.Services.GetRequiredService<TracerProvider>().ForceFlush());
        host.Services.GetRequiredService<MeterProvider>().ForceFlush(); // "false", because what is scraped can't be flushed
        Assert.All(collector.Taken, taken => Assert.Equal("application/x-protobuf", taken.MediaType));
        byte[][] traces = [.. collector.Taken.Where(taken => taken.Path == "/v1/traces").Select(taken => taken.Body)];
        Assert.Contains(traces, body => Holds(body, "engine.decode"u8) && Holds(body, Convert.FromHexString(trace.ToHexString())));
        Assert.Contains(collector.Taken, taken => taken.Path == "/v1/metrics" && Holds(taken.Body, "gen_ai.server.request.duration"u8));
        foreach (string secret in (string[])["secretprompt", completion, user.DefaultRequestHeaders.Authorization!.Parameter!])
            Assert.DoesNotContain(collector.Taken, taken => Holds(taken.Body, Encoding.UTF8.GetBytes(secret)));
    }

    [Fact]
    public async Task Request_WithoutACollector_MakesNoSpanOfOurs()
    {
        await using TestHost host = await TestHost.StartAsync(new Accelerator(new SimulatedBackend()));
        Assert.Null(host.Services.GetService<TracerProvider>());
        Assert.NotNull(host.Services.GetService<MeterProvider>());
    }

    private static IEnumerable<string> PathToRoot(Activity span, Dictionary<ActivitySpanId, Activity> spans)
    {
        for (Activity? at = span; at is not null; at = spans.GetValueOrDefault(at.ParentSpanId)) yield return at.OperationName;
    }

    private static bool Holds(byte[] body, ReadOnlySpan<byte> part) => body.AsSpan().IndexOf(part) >= 0;
}
