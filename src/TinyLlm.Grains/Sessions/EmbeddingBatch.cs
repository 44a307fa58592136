using System.Collections.Immutable;
using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Usage;

namespace TinyLlm.Grains.Sessions;

/// <summary>Embeds the texts of one request through the engine, a few at a time, and leaves nothing behind in it however it ends.</summary>
internal static class EmbeddingBatch
{
    // Enough to fill a batch, and few enough that one request does not take the waiting queue. A choice, not a measurement.
    private const int MaxUnderWay = 16;

    public static async Task<ImmutableArray<ImmutableArray<float>>> RunAsync(
        ResidentHold hold, string caller, ImmutableArray<ImmutableArray<int>> texts, SessionUsage usage, CancellationToken cancellationToken)
    {
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hold.Cut);
        List<EmbeddingRun> runs = [];
        try
        {
            ImmutableArray<ImmutableArray<float>>.Builder vectors = ImmutableArray.CreateBuilder<ImmutableArray<float>>(texts.Length);
            while (vectors.Count < texts.Length)
            {
                while (runs.Count < texts.Length && runs.Count - vectors.Count < MaxUnderWay)
                    runs.Add(hold.Embed(new EmbeddingRequest { Ids = texts[runs.Count], Caller = caller }));
                ImmutableArray<float> vector = Vector(await runs[vectors.Count].Completion.WaitAsync(ended.Token));
                usage.Embedded(texts[vectors.Count].Length);
                vectors.Add(vector);
            }
            return vectors.MoveToImmutable();
        }
        catch (OperationCanceledException) when (hold.Cut.IsCancellationRequested)
        {
            throw RequestException.NotFound("model");
        }
        finally
        {
            // The hold must outlast every tensor: a cancelled run ends before the engine's next turn.
            foreach (EmbeddingRun run in runs) run.Cancel();
            await Task.WhenAll(runs.Select(run => run.Completion));
        }
    }

    private static ImmutableArray<float> Vector(EmbeddingEnd end) => end switch
    {
        { Reason: FinishReason.Stop } => end.Vector,
        _ => throw EngineFault.ToRefusal(end.Error) as Exception ?? new InvalidOperationException($"The engine ended an embedding as {end.Reason}.", end.Error),
    };
}
