using System.Collections.Immutable;
using TinyLlm.Engine;
using TinyLlm.Grains.Errors;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>One choice of a running answer: makes text of its tokens and watches for stop strings.</summary>
internal sealed class RunningChoice(Tokenizer tokenizer, Generation generation, PreparedPrompt prompt, int index)
{
    private readonly StreamDecoder _decoder = tokenizer.CreateStreamDecoder(prompt.Ids.AsSpan(), skipSpecialTokens: true);
    private readonly StopSequenceFilter _stops = new(prompt.Stop);
    private Task<bool>? _hasToken;
    private int _textLength = prompt.Echo?.Length ?? 0;

    public int Index => index;

    public Generation Generation => generation;

    public int CompletionTokens { get; private set; }

    /// <summary>Null while it runs.</summary>
    public SessionEnd? End { get; private set; }

    /// <summary>What failed, where that is not a fault of ours.</summary>
    public RequestException? Fault { get; private set; }

    /// <summary>Whether no token will follow those that were read, and it has not been closed.</summary>
    public bool IsDrained => End is null && generation.Tokens.Completion.IsCompleted;

    /// <summary>Completes when there is something to read, or nothing will follow. One task for all who ask until then.</summary>
    public Task<bool> HasTokenAsync(CancellationToken cancellationToken)
    {
        if (_hasToken is not { IsCompleted: false }) _hasToken = generation.Tokens.WaitToReadAsync(cancellationToken).AsTask();
        return _hasToken;
    }

    /// <summary>The next token, if there is one now.</summary>
    public SessionDelta? TryRead()
    {
        if (End is not null || prompt.MaxNewTokens == 0 || !generation.Tokens.TryRead(out GeneratedToken token)) return null;
        CompletionTokens++;
        int offset = _textLength;
        string decoded = _decoder.Append(token.Id);
        _textLength += decoded.Length;
        (string text, bool stopped) = _stops.Append(decoded);
        if (stopped)
        {
            generation.Cancel();
            End = SessionEnd.Stop;
        }
        return new SessionDelta
        {
            Text = text,
            Ids = [token.Id],
            Choice = index,
            Logprobs = token.Logprobs is { } logprobs ? [LogprobTexts.Of(tokenizer, token.Id, logprobs, offset)] : [],
        };
    }

    /// <summary>Ends it as its generation ended, which must be over; what was held back as half a character or a possible stop string is text after all.</summary>
    public SessionDelta? Close(GenerationEnd end)
    {
        if (End is not null) return null;
        (string tail, bool stopped) = _stops.Append(_decoder.Flush());
        if (!stopped) tail += _stops.Flush();
        End = stopped ? SessionEnd.Stop : ToSessionEnd(end.Reason);
        if (End == SessionEnd.Failed) Fault = EngineFault.ToRefusal(end.Error);
        return tail.Length > 0 ? new SessionDelta { Text = tail, Ids = ImmutableArray<int>.Empty, Choice = index } : null;
    }

    /// <summary>Ends a choice that asked for no token but for the prompt.</summary>
    public void CloseUnread()
    {
        generation.Cancel();
        End = SessionEnd.Length;
    }

    private static SessionEnd ToSessionEnd(FinishReason reason) => reason switch
    {
        FinishReason.Stop => SessionEnd.Stop,
        FinishReason.Length => SessionEnd.Length,
        FinishReason.SlowReader => SessionEnd.SlowReader,
        _ => SessionEnd.Failed,
    };
}
