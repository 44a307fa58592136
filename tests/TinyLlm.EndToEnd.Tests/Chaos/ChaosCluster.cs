using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>One cluster for the tests of a class, two processes of each role: what one test did to it, it has survived.</summary>
public sealed class ChaosCluster : IAsyncDisposable
{
    private RunningCluster? _cluster;

    /// <summary>Started by the test that comes first, which is skipped where that can't be.</summary>
    internal async Task<RunningCluster> StartAsync() => _cluster ??= await RunningCluster.StartAsync(api: 2, core: 2, gpu: 2);

    public ValueTask DisposeAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;
}
