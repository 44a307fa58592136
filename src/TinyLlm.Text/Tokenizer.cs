using TinyLlm.Text.AddedTokens;
using TinyLlm.Text.Decoding;
using TinyLlm.Text.Files;
using TinyLlm.Text.PreTokenization;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text;

/// <summary>
/// Text to ids and back, as the model's files say. Ids equal those of Hugging Face's tokenizers; where a file asks for something that is not
/// implemented, loading fails rather than giving other ids. Immutable and safe for concurrent use. Knows no chat and no model weights.
/// </summary>
/// <remarks>
/// A text goes: (1) added tokens are cut out of it; (2) what is between is normalized; (3) normalized added tokens are cut out; (4) what is between is
/// cut into pieces, which become ids by the model; (5) the post-processor's special tokens are put round the whole.
/// Hugging Face's two implementations differ on a few inputs: numerals outside ASCII (the Digits pre-tokenizer), bytes that a byte-level vocabulary lacks, and
/// U+0085 and U+FEFF as white space. There, ids equal those of @huggingface/tokenizers, which the tests compare with. In the precompiled character map it is
/// that package which approximates, and ids follow the map.
/// </remarks>
public sealed class Tokenizer
{
    private readonly TokenizerParts parts;
    private readonly Lazy<TokenSpelling> spelling;

    private Tokenizer(TokenizerParts parts, TokenizerConfig config)
    {
        this.parts = parts;
        spelling = new Lazy<TokenSpelling>(() => new TokenSpelling(text => StartDecoding(text, asStream: false)));
        VocabularySize = Math.Max(parts.Vocabulary.Size, parts.AddedTokens.All.Select(token => token.Id + 1).DefaultIfEmpty().Max());
        foreach (int id in parts.PostProcessor.Before.Concat(parts.PostProcessor.After))
        {
            if (TokenText(id, skipSpecialTokens: false) is null)
                throw new TokenizerFormatException(TokenizerFormatError.UnknownToken, $"'post_processor' adds id {id}, which is no token");
        }
        BeginOfTextId = config.BeginOfText is { } begin ? TokenizerParts.RequireId(parts.AddedTokens, parts.Vocabulary, begin, "'bos_token'") : null;
        EndOfTextId = config.EndOfText is { } end ? TokenizerParts.RequireId(parts.AddedTokens, parts.Vocabulary, end, "'eos_token'") : null;
    }

    /// <summary>One more than the highest id that has a token. A model's output layer may be wider.</summary>
    public int VocabularySize { get; }

    /// <summary>The token before a text, where tokenizer_config.json names one.</summary>
    public int? BeginOfTextId { get; }

    /// <summary>The token after a text, where tokenizer_config.json names one.</summary>
    public int? EndOfTextId { get; }

    /// <summary>Reads a tokenizer from its files' bytes.</summary>
    /// <param name="tokenizerJson">tokenizer.json.</param>
    /// <param name="tokenizerConfigJson">tokenizer_config.json; empty when there is none.</param>
    /// <exception cref="TokenizerFormatException">A file is malformed, beyond a bound, or asks for something not implemented.</exception>
    public static Tokenizer Load(ReadOnlySpan<byte> tokenizerJson, ReadOnlySpan<byte> tokenizerConfigJson) =>
        new(TokenizerJsonParts.Make(TokenizerJson.Parse(tokenizerJson)), TokenizerConfig.Parse(tokenizerConfigJson));

    /// <summary>Reads a tokenizer from a SentencePiece model's bytes.</summary>
    /// <param name="tokenizerModel">tokenizer.model.</param>
    /// <param name="tokenizerConfigJson">tokenizer_config.json; empty when there is none.</param>
    /// <exception cref="TokenizerFormatException">A file is malformed, beyond a bound, or asks for something not implemented.</exception>
    public static Tokenizer LoadSentencePiece(ReadOnlySpan<byte> tokenizerModel, ReadOnlySpan<byte> tokenizerConfigJson)
    {
        TokenizerConfig config = TokenizerConfig.Parse(tokenizerConfigJson);
        return new Tokenizer(SentencePieceParts.Make(SentencePieceModel.Parse(tokenizerModel), config), config);
    }

    /// <summary>The ids of <paramref name="text"/>; special tokens written in it are plain text.</summary>
    public int[] Encode(string text, bool addSpecialTokens) => Encode(text, addSpecialTokens, parseSpecialTokens: false);

    /// <summary>The ids of <paramref name="text"/>. A lone surrogate in it counts as U+FFFD.</summary>
    /// <param name="text">Any string.</param>
    /// <param name="addSpecialTokens">Whether the post-processor's tokens (such as begin of text) are put round it.</param>
    /// <param name="parseSpecialTokens">Whether special tokens written in the text become their ids.</param>
    /// <exception cref="TokenizerFormatException">The tokenizer's own rules make the text grow too much or take too long.</exception>
    public int[] Encode(string text, bool addSpecialTokens, bool parseSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = WellFormed.Replace(text);
        List<int> ids = [];
        if (addSpecialTokens) ids.AddRange(parts.PostProcessor.Before);
        List<Segment> segments = [];
        AddedTokenSet.Split(text, parts.AddedTokens.Raw, parseSpecialTokens, segments); // (1)
        foreach (Segment segment in segments)
        {
            if (segment.TokenId is { } id) ids.Add(id);
            else EncodeBetween(text[segment.Start..segment.End], segment.Start == 0, parseSpecialTokens, ids);
        }
        if (addSpecialTokens) ids.AddRange(parts.PostProcessor.After); // (5)
        return [.. ids];
    }

    /// <summary>The text of <paramref name="ids"/>. Ids without a token give no text; bytes that are no character give U+FFFD.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        TextStage text = new();
        DecodeStage first = StartDecoding(text, asStream: false);
        foreach (int id in ids)
        {
            if (TokenText(id, skipSpecialTokens) is { } token) first.Push(token);
        }
        first.End();
        return text.Take();
    }

    /// <summary>The vocabulary's own text of a token, which is not what it decodes to; null when the id has none.</summary>
    public string? Token(int id) => TokenText(id, skipSpecialTokens: false);

    /// <summary>Begins to decode ids that come one after the other.</summary>
    /// <param name="promptIds">What comes before them: it gives no text, but decides how the first of them read.</param>
    /// <param name="skipSpecialTokens">Whether special tokens give no text.</param>
    public StreamDecoder CreateStreamDecoder(ReadOnlySpan<int> promptIds, bool skipSpecialTokens) => new(this, promptIds, skipSpecialTokens);

    /// <summary>
    /// The bytes of UTF-8 that a token gives in the middle of a text, which may be a part of a character; null for special tokens and for ids without
    /// a token.
    /// </summary>
    public byte[]? TokenBytes(int id) => TokenText(id, skipSpecialTokens: true) is { } token ? spelling.Value.Bytes(token) : null;

    /// <summary>The token with this id; null when there is none or it is to be skipped.</summary>
    internal string? TokenText(int id, bool skipSpecialTokens) =>
        skipSpecialTokens && parts.AddedTokens.IsSpecial(id) ? null : parts.AddedTokens.Token(id) ?? parts.Vocabulary.Token(id);

    /// <summary>The first stage of a chain that ends in <paramref name="text"/>. As a stream it hands on every character as soon as it is whole.</summary>
    internal DecodeStage StartDecoding(TextStage text, bool asStream)
    {
        DecodeStage first = text;
        foreach (Func<DecodeStage, DecodeStage> make in parts.Decoder.Reverse())
        {
            first = make(first);
            if (first is ByteFallbackStage bytes) bytes.EmitsEarly = asStream;
        }
        return first;
    }

    private void EncodeBetween(string text, bool isFirst, bool parseSpecialTokens, List<int> ids)
    {
        string normalized = parts.Normalizer.Normalize(text); // (2)
        TokenizerLimits.CheckGrowth(normalized.Length, text.Length);
        List<Segment> segments = [];
        AddedTokenSet.Split(normalized, parts.AddedTokens.Normalized, parseSpecialTokens, segments); // (3)
        foreach (Segment segment in segments)
        {
            if (segment.TokenId is { } id) ids.Add(id);
            else EncodePieces(new PreTokenizedText(normalized[segment.Start..segment.End], isFirst && segment.Start == 0), ids);
        }
    }

    private void EncodePieces(PreTokenizedText text, List<int> ids)
    {
        foreach (PreTokenizer preTokenizer in parts.PreTokenizers) preTokenizer.Apply(text); // (4)
        foreach ((int start, int end) in text.Pieces) parts.Model.Encode(text.Text.AsSpan(start, end - start), ids);
    }
}
