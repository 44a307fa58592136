using TinyLlm.Text.Decoding;

namespace TinyLlm.Text;

/// <summary>
/// Decodes ids as they come. All results joined are the text of prompt and ids together, less the longest prefix (of whole characters) that it shares with the
/// prompt's text. A result never ends in the middle of a character: bytes of an unfinished one are kept for a later call.
/// The text is <see cref="Tokenizer.Decode"/>'s, but for runs of byte tokens that are no valid UTF-8: a stream keeps the characters in them.
/// Not safe for concurrent use.
/// </summary>
public sealed class StreamDecoder
{
    private readonly Tokenizer tokenizer;
    private readonly bool skipSpecialTokens;
    private readonly TextStage text = new();
    private readonly DecodeStage first;

    /// <summary>What the prompt's last tokens would have given at its end, which the caller has already: dropped as far as it comes out again.</summary>
    private string shared;

    internal StreamDecoder(Tokenizer tokenizer, ReadOnlySpan<int> promptIds, bool skipSpecialTokens)
    {
        this.tokenizer = tokenizer;
        this.skipSpecialTokens = skipSpecialTokens;
        first = tokenizer.StartDecoding(text, asStream: true);
        foreach (int id in promptIds) Push(first, id);
        string settled = text.Take();
        shared = promptIds.IsEmpty ? "" : Whole(promptIds)[settled.Length..];
    }

    /// <summary>The text that is certain now that <paramref name="id"/> has come; often empty. An id without a token gives no text.</summary>
    public string Append(int id)
    {
        Push(first, id);
        return DropShared(text.Take());
    }

    /// <summary>The text that was kept back, once the stream is over. Bytes that never became a character come out as U+FFFD.</summary>
    public string Flush()
    {
        first.End();
        return DropShared(text.Take());
    }

    /// <summary>The text of ids that nothing follows.</summary>
    private string Whole(ReadOnlySpan<int> ids)
    {
        TextStage whole = new();
        DecodeStage stages = tokenizer.StartDecoding(whole, asStream: true);
        foreach (int id in ids) Push(stages, id);
        stages.End();
        return whole.Take();
    }

    private void Push(DecodeStage stages, int id)
    {
        if (tokenizer.TokenText(id, skipSpecialTokens) is { } token) stages.Push(token);
    }

    private string DropShared(string text)
    {
        if (shared.Length == 0 || text.Length == 0) return text;
        int common = text.AsSpan().CommonPrefixLength(shared);
        if (common > 0 && char.IsHighSurrogate(text[common - 1])) common--;
        // Text that differs from the prompt's ends the sharing; so does the end of what the prompt gave.
        shared = common == text.Length ? shared[common..] : "";
        return text[common..];
    }
}
