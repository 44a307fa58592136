using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using TinyLlm.Engine;
using TinyLlm.Grains.Residency;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// One admitted generation: reads tokens, makes text of them, watches for stop strings. Disposing it at any moment cancels the generation
/// and gives the weights back.
/// </summary>
internal sealed class RunningSession(ResidentHold hold, Generation generation, PreparedPrompt prompt) : IDisposable
{
    private readonly StreamDecoder _decoder = hold.Model.Tokenizer.CreateStreamDecoder(prompt.Ids.AsSpan(), skipSpecialTokens: true);
    private readonly StopSequenceFilter _stops = new(prompt.Stop);

    public int PromptTokens => prompt.Ids.Length;

    /// <summary>Deltas, one per token, then the end. A cancelled generation ends the enumeration without one.</summary>
    public async IAsyncEnumerable<SessionEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int completionTokens = 0;
        await foreach (GeneratedToken token in generation.Tokens.ReadAllAsync(cancellationToken))
        {
            completionTokens++;
            (string text, bool stopped) = _stops.Append(_decoder.Append(token.Id));
            yield return new SessionDelta { Text = text, Ids = [token.Id] };
            if (stopped)
            {
                generation.Cancel();
                yield return Ended(SessionEnd.Stop, completionTokens);
                yield break;
            }
        }

        // Completion never faults, and is there as soon as the channel is complete.
        GenerationEnd end = await generation.Completion.WaitAsync(cancellationToken);
        if (end.Reason == FinishReason.Cancelled) yield break;

        // What was held back as half a character or a possible stop string is text after all.
        (string tail, bool stoppedInTail) = _stops.Append(_decoder.Flush());
        if (!stoppedInTail) tail += _stops.Flush();
        if (tail.Length > 0) yield return new SessionDelta { Text = tail, Ids = ImmutableArray<int>.Empty };
        yield return Ended(stoppedInTail ? SessionEnd.Stop : ToSessionEnd(end.Reason), end.CompletionTokens);
    }

    public void Dispose()
    {
        generation.Cancel(); // after the end it does nothing
        hold.Dispose();
    }

    private SessionEnded Ended(SessionEnd reason, int completionTokens) =>
        new() { Reason = reason, PromptTokens = PromptTokens, CompletionTokens = completionTokens, CachedTokens = generation.CachedTokens };

    private static SessionEnd ToSessionEnd(FinishReason reason) => reason switch
    {
        FinishReason.Stop => SessionEnd.Stop,
        FinishReason.Length => SessionEnd.Length,
        FinishReason.SlowReader => SessionEnd.SlowReader,
        _ => SessionEnd.Failed,
    };
}
