using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using TinyLlm.Engine;
using TinyLlm.Grains.Residency;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// One admitted request: reads the tokens of its choices as they come. Disposing it at any moment cancels all of them and gives the weights back.
/// </summary>
internal sealed class RunningSession(ResidentHold hold, Generation[] generations, PreparedPrompt prompt) : IDisposable
{
    private readonly RunningChoice[] _choices = [.. generations.Select((generation, index) => new RunningChoice(hold.Model.Tokenizer, generation, prompt, index))];

    public int PromptTokens => prompt.Ids.Length;

    /// <inheritdoc cref="Generation.PrefillTime"/>
    public TimeSpan PrefillTime => generations[0].PrefillTime;

    /// <summary>Deltas, one per token, then the end. A cancelled generation ends the enumeration without one.</summary>
    public async IAsyncEnumerable<SessionEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (prompt.Echo is { } echo)
        {
            foreach (RunningChoice choice in _choices) yield return Echo(echo, choice.Index);
        }
        List<RunningChoice> running = [.. _choices];
        if (prompt.MaxNewTokens == 0)
        {
            foreach (RunningChoice choice in running) choice.CloseUnread();
        }
        while (true)
        {
            foreach (RunningChoice choice in running)
            {
                while (choice.TryRead() is { } delta) yield return delta;
                if (choice.IsDrained)
                {
                    GenerationEnd end = await choice.Generation.Completion.WaitAsync(cancellationToken); // never faults, and comes with the channel's end
                    if (end.Reason == FinishReason.Cancelled) yield break;
                    if (choice.Close(end) is { } tail) yield return tail;
                }
                if (choice.End is not null && _choices.Length > 1) yield return Ended(choice);
            }
            running.RemoveAll(static choice => choice.End is not null);
            if (running.Count == 0) break;
            // A token of the usual single choice wakes this scheduler and nothing in between: each further task costs a thread's wake.
            if (_choices.Length == 1) await running[0].Generation.Tokens.WaitToReadAsync(cancellationToken);
            else await await Task.WhenAny(running.Select(choice => choice.HasTokenAsync(cancellationToken))); // the second throws when it was cancelled
        }
        yield return new SessionEnded
        {
            Reason = _choices.Max(choice => choice.End!.Value), // later members are worse
            PromptTokens = PromptTokens,
            CompletionTokens = _choices.Sum(choice => choice.CompletionTokens),
            CachedTokens = generations[0].CachedTokens,
            Fault = _choices.Select(choice => choice.Fault).FirstOrDefault(fault => fault is not null),
        };
    }

    public void Dispose()
    {
        foreach (RunningChoice choice in _choices) choice.Generation.Cancel(); // after the end it does nothing
        hold.Dispose();
    }

    private SessionDelta Echo(string text, int choice)
    {
        if (prompt.TopLogprobs is null) return new SessionDelta { Text = text, Ids = [], Choice = choice };
        Tokenizer tokenizer = hold.Model.Tokenizer;
        StreamDecoder decoder = tokenizer.CreateStreamDecoder([], skipSpecialTokens: true);
        ImmutableArray<SessionLogprob>.Builder logprobs = ImmutableArray.CreateBuilder<SessionLogprob>(prompt.Ids.Length);
        int offset = 0;
        for (int i = 0; i < prompt.Ids.Length; i++)
        {
            logprobs.Add(LogprobTexts.Of(tokenizer, prompt.Ids[i], generations[0].PromptLogprobs[i], offset));
            offset += decoder.Append(prompt.Ids[i]).Length;
        }
        return new SessionDelta { Text = text, Ids = [], Choice = choice, Logprobs = logprobs.MoveToImmutable() };
    }

    private static SessionChoiceEnded Ended(RunningChoice choice) => new() { Choice = choice.Index, Reason = choice.End!.Value };
}
