using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using TinyLlm.Grains.Residency;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.OpenAi;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.OpenAi;

/// <summary>What a stream shows when nothing comes, and when it is cut.</summary>
public sealed class StreamTests
{
    [Fact]
    public async Task Stream_NothingToSend_PingsEveryFifteenSeconds()
    {
        SimulatedBackend device = new();
        FakeTimeProvider time = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device), services => services.AddSingleton(
            provider => new AnswerWriter(provider.GetRequiredService<ReaderPatience>(), time)));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        device.Hold();
        Task<HttpResponseMessage> starting = StartAsync(user);
        device.NextStep(TestContext.Current.CancellationToken);
        device.Release();
        using HttpResponseMessage response = await starting;
        await using Stream body = await response.Content.ReadAsStreamAsync();
        using StreamReader reader = new(body, Encoding.UTF8);

        // The device stands at its second step: after the first token only time can make a line.
        string line;
        do
        {
            Task<string?> next = reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();
            while (!next.IsCompleted)
            {
                time.Advance(AnswerWriter.PingInterval);
                await Task.Yield();
            }
            line = (await next)!;
        }
        while (!line.StartsWith(':'));
        Assert.Equal(": ping", line);
        device.Open();
        Assert.EndsWith("data: [DONE]\n\n", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_EngineFailsAfterItBegan_EndsWithAnErrorAndWithoutDone()
    {
        SimulatedBackend device = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        device.Hold();
        Task<HttpResponseMessage> starting = StartAsync(user);
        device.NextStep(TestContext.Current.CancellationToken);
        device.Release();
        using HttpResponseMessage response = await starting;
        device.NextStep(TestContext.Current.CancellationToken);
        device.Fault = _ => new InvalidOperationException("secret detail");
        device.Open();
        string body = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain("[DONE]", body, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"stream_cut\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret detail", body, StringComparison.Ordinal);

        // The host goes on serving.
        device.Fault = _ => null;
        using HttpResponseMessage again = await StartAsync(user);
        Assert.EndsWith("data: [DONE]\n\n", await again.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_EngineFailsBeforeTheFirstToken_IsACleanError()
    {
        SimulatedBackend device = new() { Fault = _ => new InvalidOperationException("secret detail") };
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        using HttpResponseMessage response = await StartAsync(user);
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        string body = await response.Content.ReadAsStringAsync();
        Assert.Contains("\"code\":\"internal_error\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret detail", body, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", body, StringComparison.Ordinal);
    }

    private static async Task<HttpResponseMessage> StartAsync(HttpClient user)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/completions")
        {
            Content = JsonContent.Create(new { model = "m", prompt = "hello", max_tokens = 20, temperature = 0, stream = true }),
        };
        return await user.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
