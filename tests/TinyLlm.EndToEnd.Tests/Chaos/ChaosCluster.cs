using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>One cluster for the tests of a class, two processes of each role: what one test did to it, it has survived.</summary>
public sealed class ChaosCluster : IAsyncDisposable
{
    // A version every few seconds, and one more upload left open by every blow: the usual bounds would end a long run.
    private static readonly string[] s_limits = ["--TinyLlm:Limits:MaxVersions", "1000", "--TinyLlm:Limits:MaxOpenUploads", "1000"];

    private RunningCluster? _cluster;

    /// <summary>Started by the test that comes first, which is skipped where that can't be.</summary>
    internal async Task<RunningCluster> StartAsync() => _cluster ??= await RunningCluster.StartAsync(api: 2, core: 2, gpu: 2, s_limits);

    public ValueTask DisposeAsync() => _cluster?.DisposeAsync() ?? ValueTask.CompletedTask;
}
