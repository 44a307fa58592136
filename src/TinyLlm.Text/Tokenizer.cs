using System.Collections.Frozen;
using System.Collections.Immutable;
using TinyLlm.Text.AddedTokens;
using TinyLlm.Text.Decoding;
using TinyLlm.Text.Files;
using TinyLlm.Text.Models;
using TinyLlm.Text.Normalization;
using TinyLlm.Text.PostProcessing;
using TinyLlm.Text.PreTokenization;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text;

/// <summary>
/// Text to ids and back, as the model's files say. Ids equal those of the Hugging Face tokenizers library; where a file asks for something that is not
/// implemented, loading fails rather than giving other ids. Immutable and safe for concurrent use. Knows no chat and no model weights.
/// </summary>
/// <remarks>
/// A text goes: (1) added tokens are cut out of it; (2) what is between is normalized; (3) normalized added tokens are cut out; (4) what is between is
/// cut into pieces, which become ids by the model; (5) the post-processor's special tokens are put round the whole.
/// </remarks>
public sealed class Tokenizer
{
    private readonly Vocabulary vocabulary;
    private readonly AddedTokenSet addedTokens;
    private readonly Normalizer normalizer;
    private readonly List<PreTokenizer> preTokenizers;
    private readonly TokenModel model;
    private readonly PostProcessor postProcessor;
    private readonly ImmutableArray<Func<DecodeStage, DecodeStage>> decoder;

    private Tokenizer(TokenizerJson file, TokenizerConfig config)
    {
        if (file.Vocabulary is null) throw new TokenizerFormatException(TokenizerFormatError.MissingField, "'model' with its 'vocab' is missing");
        vocabulary = new Vocabulary(file.Vocabulary);
        normalizer = NormalizerReader.Read(file.Normalizer);
        preTokenizers = PreTokenizerReader.Read(file.PreTokenizer);
        addedTokens = new AddedTokenSet(AddedTokenSet.Read(file.AddedTokens, vocabulary), normalizer);
        FrozenSet<int> specialIds = addedTokens.All.Where(token => token.Special).Select(token => token.Id).ToFrozenSet();
        model = TokenModelReader.Read(file, vocabulary, specialIds);
        VocabularySize = Math.Max(vocabulary.Size, addedTokens.All.Select(token => token.Id + 1).DefaultIfEmpty().Max());
        postProcessor = PostProcessor.Read(file.PostProcessor, token => RequireId(token, "'post_processor'"));
        decoder = DecoderReader.Read(file.Decoder);
        foreach (int id in postProcessor.Before.Concat(postProcessor.After))
        {
            if (TokenText(id, skipSpecialTokens: false) is null)
                throw new TokenizerFormatException(TokenizerFormatError.UnknownToken, $"'post_processor' adds id {id}, which is no token");
        }
        BeginOfTextId = config.BeginOfText is { } begin ? RequireId(begin, "'bos_token'") : null;
        EndOfTextId = config.EndOfText is { } end ? RequireId(end, "'eos_token'") : null;
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
        new(TokenizerJson.Parse(tokenizerJson), TokenizerConfig.Parse(tokenizerConfigJson));

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
        if (addSpecialTokens) ids.AddRange(postProcessor.Before);
        List<Segment> segments = [];
        AddedTokenSet.Split(text, addedTokens.Raw, parseSpecialTokens, segments); // (1)
        foreach (Segment segment in segments)
        {
            if (segment.TokenId is { } id) ids.Add(id);
            else EncodeBetween(text[segment.Start..segment.End], segment.Start == 0, parseSpecialTokens, ids);
        }
        if (addSpecialTokens) ids.AddRange(postProcessor.After); // (5)
        return [.. ids];
    }

    /// <summary>The text of <paramref name="ids"/>. Ids without a token give no text; bytes that are no character give U+FFFD.</summary>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens)
    {
        TextStage text = new();
        DecodeStage first = StartDecoding(text);
        foreach (int id in ids)
        {
            if (TokenText(id, skipSpecialTokens) is { } token) first.Push(token);
        }
        first.End();
        return text.Take();
    }

    /// <summary>Begins to decode ids that come one after the other.</summary>
    /// <param name="promptIds">What comes before them: it gives no text, but decides how the first of them read.</param>
    /// <param name="skipSpecialTokens">Whether special tokens give no text.</param>
    public StreamDecoder CreateStreamDecoder(ReadOnlySpan<int> promptIds, bool skipSpecialTokens) => new(this, promptIds, skipSpecialTokens);

    /// <summary>The token with this id; null when there is none or it is to be skipped.</summary>
    internal string? TokenText(int id, bool skipSpecialTokens) =>
        skipSpecialTokens && addedTokens.IsSpecial(id) ? null : addedTokens.Token(id) ?? vocabulary.Token(id);

    internal DecodeStage StartDecoding(TextStage text)
    {
        DecodeStage first = text;
        foreach (Func<DecodeStage, DecodeStage> make in decoder.Reverse()) first = make(first);
        return first;
    }

    private void EncodeBetween(string text, bool isFirst, bool parseSpecialTokens, List<int> ids)
    {
        string normalized = normalizer.Normalize(text); // (2)
        TokenizerLimits.CheckGrowth(normalized.Length, text.Length);
        List<Segment> segments = [];
        AddedTokenSet.Split(normalized, addedTokens.Normalized, parseSpecialTokens, segments); // (3)
        foreach (Segment segment in segments)
        {
            if (segment.TokenId is { } id) ids.Add(id);
            else EncodePieces(new PreTokenizedText(normalized[segment.Start..segment.End], isFirst && segment.Start == 0), ids);
        }
    }

    private void EncodePieces(PreTokenizedText text, List<int> ids)
    {
        foreach (PreTokenizer preTokenizer in preTokenizers) preTokenizer.Apply(text); // (4)
        foreach ((int start, int end) in text.Pieces) model.Encode(text.Text.AsSpan(start, end - start), ids);
    }

    private int RequireId(string token, string where) => addedTokens.Find(token) ?? vocabulary.Require(token, where);
}
