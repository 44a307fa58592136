using System.Net.Http.Json;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Hosting;

/// <summary>The device is opened before the host starts, and freed with it.</summary>
public sealed class AcceleratorDisposalTests
{
    [Fact]
    public async Task Stop_NoSessionEverRan_FreesTheDevice()
    {
        SimulatedBackend device = new();
        TestHost host = await TestHost.StartAsync(new Accelerator(device));
        Assert.False(device.IsDisposed);

        await host.DisposeAsync();

        Assert.True(device.IsDisposed);
    }

    [Fact]
    public async Task Stop_AfterAnAnswer_FreesTheDevice()
    {
        SimulatedBackend device = new();
        TestHost host = await TestHost.StartAsync(new Accelerator(device));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        using HttpResponseMessage answer = await user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = "a", max_tokens = 1 });
        Assert.True(answer.IsSuccessStatusCode);
        Assert.False(device.IsDisposed);

        await host.DisposeAsync();

        Assert.True(device.IsDisposed);
        Assert.Equal(0, device.LiveTensors);
    }
}
