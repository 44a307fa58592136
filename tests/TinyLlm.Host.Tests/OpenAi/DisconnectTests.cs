using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Engine;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>A client that goes away frees what it held. The simulated device runs a step only when the test says so: no test waits for a clock.</summary>
[Collection(RunsAlone.Name)]
public sealed class DisconnectTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stream_ClientDisconnects_IsGoneFromTheNextStep()
    {
        SimulatedBackend device = new();
        using RequestEnds ends = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device), services => services.AddSingleton<IStartupFilter>(ends));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        int requestsBefore = ends.Count;
        device.Hold();

        // 1. A stream runs: its first token is out, and its second step stands at the gate.
        HttpResponseMessage response = await StartStreamAsync(user, device);
        Assert.Single(device.NextStep(Cancellation).Ids);

        // 2. The client goes. The server notices while the device stands still, and the request ends without another token.
        response.Dispose();
        await ends.WaitForAsync(requestsBefore + 1, Cancellation);

        // 3. Another stream comes; the step that stood is let go. The next step runs the new sequence alone: the old one left within one step.
        Task<HttpResponseMessage> other = StartAsync(user);
        await WaitForWaitingSequenceAsync(host);
        device.Release();
        Assert.Single(device.NextStep(Cancellation).Ids);
        Assert.Equal(1, host.Services.GetRequiredService<DeviceLoop>().Snapshot().RunningSequences);

        device.Open();
        using HttpResponseMessage otherResponse = await other;
        Assert.EndsWith("data: [DONE]\n\n", await otherResponse.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_ClientDisconnectsBeforeTheFirstToken_IsGoneFromTheNextStep()
    {
        SimulatedBackend device = new();
        using RequestEnds ends = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device), services => services.AddSingleton<IStartupFilter>(ends));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        int requestsBefore = ends.Count;
        device.Hold();

        using CancellationTokenSource client = new();
        Task<HttpResponseMessage> leaving = StartAsync(user, cancellationToken: client.Token);
        device.NextStep(Cancellation);
        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        await ends.WaitForAsync(requestsBefore + 1, Cancellation);

        Task<HttpResponseMessage> other = StartAsync(user);
        await WaitForWaitingSequenceAsync(host);
        device.Release();
        Assert.Single(device.NextStep(Cancellation).Ids);
        device.Open();
        using HttpResponseMessage otherResponse = await other;
        Assert.True(otherResponse.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Stream_AThousandDisconnects_LeaveNoSlotAndNoTensor()
    {
        const int Disconnects = 1000;
        const int Parallel = 8;
        const int AnswerTokens = 4000;
        using RequestEnds ends = new();
        // Without the prefix cache, which keeps what was said: here every tensor counts.
        await using TestHost host = await TestHost.StartAsync(
            accelerator: null, services => services.AddSingleton<IStartupFilter>(ends).Configure<DeviceLoopOptions>(options => options.PrefixCacheShare = 0));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m", TinyModel.Files(contextLength: AnswerTokens + 64));
        await RunToEndAsync(user);
        DeviceLoop loop = host.Services.GetRequiredService<DeviceLoop>();
        LoopSnapshot before = loop.Snapshot();
        int requestsBefore = ends.Count;

        await System.Threading.Tasks.Parallel.ForAsync(0, Disconnects, new ParallelOptions { MaxDegreeOfParallelism = Parallel }, async (_, cancellationToken) =>
        {
            using HttpResponseMessage response = await StartAsync(user, AnswerTokens, cancellationToken);
            await using Stream body = await response.Content.ReadAsStreamAsync(cancellationToken);
            Assert.True(await body.ReadAsync(new byte[64], cancellationToken) > 0);
        });
        await ends.WaitForAsync(requestsBefore + Disconnects, Cancellation);

        // They were cut: whole answers would have taken this many steps at the least.
        long steps = loop.Snapshot().Steps - before.Steps;
        Assert.InRange(steps, Disconnects / Parallel, (long)Disconnects * AnswerTokens / Parallel / 4);

        // A whole answer takes many turns, and what was cancelled before leaves in the first of them.
        await RunToEndAsync(user);
        LoopSnapshot after = loop.Snapshot();
        Assert.Equal(
            (before.RunningSequences, before.WaitingSequences, before.ReservedBytes, before.LiveTensors),
            (after.RunningSequences, after.WaitingSequences, after.ReservedBytes, after.LiveTensors));
        Assert.Equal(0, after.RunningSequences);
    }

    private static async Task<HttpResponseMessage> StartStreamAsync(HttpClient user, SimulatedBackend device)
    {
        Task<HttpResponseMessage> starting = StartAsync(user);
        device.NextStep(Cancellation); // the prompt
        device.Release();
        return await starting;
    }

    private static async Task<HttpResponseMessage> StartAsync(HttpClient user, int maxTokens = 100, CancellationToken cancellationToken = default)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/completions")
        {
            // With its ids every token has an event; the text alone of a tiny model may be bytes that wait for their character.
            Content = JsonContent.Create(new { model = "m", prompt = "hello", max_tokens = maxTokens, temperature = 0, stream = true, return_token_ids = true }),
        };
        return await user.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private static async Task RunToEndAsync(HttpClient user)
    {
        using HttpResponseMessage response = await StartAsync(user);
        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    /// <summary>The engine tells no test that a sequence came; yielding until it shows is the barrier, and the test's own timeout its bound.</summary>
    private static async Task WaitForWaitingSequenceAsync(TestHost host)
    {
        while (host.Models.Snapshot().Waiting == 0)
        {
            Cancellation.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Counts the requests that the server is through with, whatever their end.</summary>
    private sealed class RequestEnds : IStartupFilter, IDisposable
    {
        private readonly SemaphoreSlim _changed = new(0);
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (_, rest) =>
            {
                try
                {
                    await rest();
                }
                finally
                {
                    Interlocked.Increment(ref _count);
                    _changed.Release();
                }
            });
            next(app);
        };

        public async Task WaitForAsync(int count, CancellationToken cancellationToken)
        {
            while (Count < count) await _changed.WaitAsync(cancellationToken);
        }

        public void Dispose() => _changed.Dispose();
    }
}
