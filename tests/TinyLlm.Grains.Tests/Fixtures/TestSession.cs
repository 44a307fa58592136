using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests;

/// <summary>Calls model sessions as the host does.</summary>
internal static class TestSession
{
    /// <summary>A prompt after which the simulated device writes the alphabet.</summary>
    public static SessionRequest Greedy(int maxTokens, params string[] stop) => new()
    {
        PromptIds = [1, 3, 3, 3],
        MaxTokens = maxTokens,
        Stop = [.. stop],
        Temperature = 0,
    };

    public static IModelSessionGrain Session(this GrainCluster cluster, ModelLease lease, int replica = 0) =>
        cluster.Client.GetGrain<IModelSessionGrain>(new SessionKey(lease.Version, cluster.Services(0).GetRequiredService<AcceleratorSilos>().Ranked(lease.Version)[replica]).ToString());

    /// <summary>Every event of one generation.</summary>
    public static async Task<List<SessionEvent>> GenerateAsync(this GrainCluster cluster, ModelLease lease, SessionRequest request, int replica = 0)
    {
        List<SessionEvent> events = [];
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        await foreach (SessionEvent item in cluster.Session(lease, replica).Generate(lease, request, cancellationToken)) events.Add(item);
        return events;
    }

    public static string Text(IEnumerable<SessionEvent> events) => string.Concat(events.OfType<SessionDelta>().Select(delta => delta.Text));

    /// <summary>What the simulated device answers to <see cref="Greedy"/>.</summary>
    public static string Answer(int tokens) => TinyModel.Continuation(TinyModel.FirstLetter, tokens);
}
