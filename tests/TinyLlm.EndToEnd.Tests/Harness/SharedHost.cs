namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>The host that most tests talk to, each as users of its own.</summary>
public sealed class SharedHost : IAsyncLifetime
{
    private RunningHost? host;
    private int users;

    internal RunningHost Host => host ?? throw new InvalidOperationException("the host has not been started");

    public async ValueTask InitializeAsync() => host = await RunningHost.StartNewAsync();

    /// <summary>A user whom no other test knows.</summary>
    internal Task<UserClient> NewUserAsync(string prefix = "user") =>
        UserClient.CreateAsync(Host, $"{prefix}-{Interlocked.Increment(ref users)}");

    public async ValueTask DisposeAsync()
    {
        if (host is not null) await host.DisposeAsync();
    }
}
