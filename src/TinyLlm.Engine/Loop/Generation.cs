using System.Threading.Channels;

namespace TinyLlm.Engine;

/// <summary>The caller's side of a running sequence. Ends exactly once.</summary>
public sealed class Generation
{
    private readonly Sequence _sequence;

    internal Generation(Sequence sequence) => _sequence = sequence;

    /// <summary>The tokens as they come, at most a channel's worth ahead of the reader. Completes after the last, never with an error.</summary>
    public ChannelReader<GeneratedToken> Tokens => _sequence.Tokens.Reader;

    /// <summary>
    /// One for each token of the prompt, null for the first, which nothing comes before. Whole as soon as there is a token to read; empty when the
    /// request does not ask.
    /// </summary>
    public IReadOnlyList<TokenLogprobs?> PromptLogprobs => _sequence.PromptLogprobs;

    /// <summary>Tokens of the prompt that the prefix cache knew. Settled as soon as there is a token to read.</summary>
    public int CachedTokens => _sequence.CachedTokens;

    /// <summary>How long the prompt took from when it had a slot. Settled as soon as there is a token to read.</summary>
    public TimeSpan PrefillTime => _sequence.Times.Prefill;

    /// <summary>Completes once the sequence's slot and cache are free. Never faults.</summary>
    public Task<GenerationEnd> Completion => _sequence.Completion.Task;

    /// <summary>Ends the sequence before the next turn of the loop. Calling it late or twice does nothing.</summary>
    public void Cancel() => _sequence.Cancel();
}
