namespace TinyLlm.Grains.Tests;

/// <summary>One silo with an accelerator, shared by the tests of a class that keep to users of their own.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    internal GrainCluster Cluster { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Cluster = await GrainCluster.StartAsync();

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();
}
