using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;

namespace TinyLlm.Host.Tests.OpenAi;

public sealed class NoAcceleratorTests
{
    [Fact]
    public async Task Completion_NoSiloHasAnAccelerator_Is503WithRetryAfter_AndTheRestServes()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none");
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        long began = Stopwatch.GetTimestamp();
        using HttpResponseMessage response = await user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = "a", max_tokens = 1 });
        TestContext.Current.SendDiagnosticMessage($"answered after {Stopwatch.GetElapsedTime(began)}");
        string body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.ServiceUnavailable, body);
        Assert.NotNull(response.Headers.RetryAfter?.Delta);
        Assert.Contains("\"code\":\"no_accelerator\"", body, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/v1/models/alice/m")).StatusCode);
    }
}
