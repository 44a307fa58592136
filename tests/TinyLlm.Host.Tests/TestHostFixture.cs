namespace TinyLlm.Host.Tests;

/// <summary>One host for all tests of a class that don't look at the whole of it; each test makes users of its own.</summary>
public sealed class TestHostFixture : IAsyncLifetime
{
    private TestHost? _host;

    internal TestHost Host => _host ?? throw new InvalidOperationException("The host is not started.");

    public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync();

    public ValueTask DisposeAsync() => Host.DisposeAsync();
}
