using System.Collections.Frozen;
using System.Collections.Immutable;
using TinyLlm.Text.AddedTokens;
using TinyLlm.Text.Decoding;
using TinyLlm.Text.Models;
using TinyLlm.Text.Normalization;
using TinyLlm.Text.PostProcessing;

namespace TinyLlm.Text.Files;

/// <summary>
/// Makes a tokenizer's parts from a tokenizer.model, with what tokenizer_config.json adds: tokens beyond the model's own, and which tokens go round a text.
/// Control pieces are special tokens and user-defined ones added tokens, as when transformers converts such a model to a tokenizer.json.
/// </summary>
internal static class SentencePieceParts
{
    private const char Space = '\u2581';

    public static TokenizerParts Make(SentencePieceModel file, TokenizerConfig config)
    {
        Vocabulary vocabulary = new([.. file.Pieces.Select(piece => piece.Entry)]);
        SentencePieceNormalizer normalizer = new(file);
        AddedTokenSet addedTokens = new(AddedTokens(file, config, vocabulary), normalizer);
        return new TokenizerParts
        {
            Vocabulary = vocabulary,
            AddedTokens = addedTokens,
            Normalizer = normalizer,
            PreTokenizers = [],
            Model = file.ModelKind == SentencePieceModel.Kind.BytePair ? BytePair(file, vocabulary) : Unigram(file, vocabulary),
            PostProcessor = Surround(config, addedTokens, vocabulary),
            Decoder = Decoder(file),
        };
    }

    private static List<AddedToken> AddedTokens(SentencePieceModel file, TokenizerConfig config, Vocabulary vocabulary)
    {
        List<AddedToken> tokens = [.. config.AddedTokens];
        foreach (AddedToken token in tokens) AddedTokenSet.CheckAgainst(vocabulary, token);
        FrozenSet<int> configured = tokens.Select(token => token.Id).ToFrozenSet();
        foreach ((VocabularyEntry piece, SentencePieceModel.PieceType type) in file.Pieces)
        {
            bool special = type is SentencePieceModel.PieceType.Control or SentencePieceModel.PieceType.Unknown;
            if (configured.Contains(piece.Id) || !(special || type == SentencePieceModel.PieceType.UserDefined)) continue;
            tokens.Add(new AddedToken(piece.Id, piece.Token, SingleWord: false, StripLeft: false, StripRight: false, Normalized: false, special));
        }
        return tokens;
    }

    /// <summary>
    /// SentencePiece merges the neighbours whose joint piece scores highest, the leftmost of equals. So each way to cut a piece in two is a merge,
    /// ranked by the piece's score.
    /// </summary>
    private static BytePairModel BytePair(SentencePieceModel file, Vocabulary vocabulary)
    {
        List<VocabularyEntry> normal = [.. file.Pieces.Where(piece => piece.Type == SentencePieceModel.PieceType.Normal).Select(piece => piece.Entry)];
        if (file.Pieces.Any(piece => piece.Type == SentencePieceModel.PieceType.Unused))
            throw new TokenizerFormatException(TokenizerFormatError.UnsupportedModel, "unused pieces in a SentencePiece model of type BPE are not supported");
        FrozenSet<string> tokens = normal.Select(piece => piece.Token).ToFrozenSet(StringComparer.Ordinal);
        FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> lookup = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        List<MergeRule> merges = [];
        int rank = 0;
        foreach (IGrouping<double, VocabularyEntry> equals in normal.GroupBy(piece => piece.Score).OrderByDescending(group => group.Key))
        {
            foreach (VocabularyEntry piece in equals) AddCuts(piece.Token, rank, lookup, merges);
            rank++;
        }
        return new BytePairModel(vocabulary, merges, new BytePairOptions
        {
            UnknownId = UnknownId(file),
            FuseUnknown = true,
            ByteFallback = file.ByteFallback,
        });
    }

    private static void AddCuts(string token, int rank, FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> tokens, List<MergeRule> merges)
    {
        for (int at = 0; at < token.Length;)
        {
            int length = at + 1 < token.Length && char.IsSurrogatePair(token[at], token[at + 1]) ? 2 : 1;
            // Otherwise the library could merge a character that is no piece, which would need a symbol without an id.
            if (token.Length > length && !tokens.Contains(token.AsSpan(at, length)))
            {
                throw new TokenizerFormatException(TokenizerFormatError.UnsupportedModel,
                    $"piece {TokenizerFormatException.Quote(token)} has a character that is no piece itself: this is not supported");
            }
            at += length;
            if (at == token.Length || !tokens.Contains(token.AsSpan(0, at)) || !tokens.Contains(token.AsSpan(at))) continue;
            if (merges.Count == TokenizerLimits.MaxMerges)
                throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"tokenizer.model has more than {TokenizerLimits.MaxMerges} merges");
            merges.Add(new MergeRule(token[..at], token[at..], rank));
        }
    }

    private static UnigramModel Unigram(SentencePieceModel file, Vocabulary vocabulary)
    {
        FrozenSet<int> textIds = file.Pieces.Where(piece => piece.Type == SentencePieceModel.PieceType.Normal).Select(piece => piece.Entry.Id).ToFrozenSet();
        int?[]? byteIds = file.ByteFallback ? ByteTokens.FindAll(vocabulary) : null;
        return new UnigramModel([.. file.Pieces.Select(piece => piece.Entry)], UnknownId(file), byteIds, textIds.Contains);
    }

    private static int? UnknownId(SentencePieceModel file) => file.Pieces
        .Where(piece => piece.Type == SentencePieceModel.PieceType.Unknown).Select(piece => (int?)piece.Entry.Id).FirstOrDefault();

    /// <summary>As transformers' slow tokenizers do: T5's ends a text, the others (Llama's, Gemma's) begin it, unless the configuration says otherwise.</summary>
    private static PostProcessor Surround(TokenizerConfig config, AddedTokenSet addedTokens, Vocabulary vocabulary)
    {
        bool isT5 = config.TokenizerClass?.StartsWith("T5", StringComparison.Ordinal) ?? false;
        int? begin = addedTokens.Find(config.BeginOfText ?? "<s>");
        int? end = addedTokens.Find(config.EndOfText ?? "</s>");
        bool addBegin = config.AddBeginOfText ?? (!isT5 && begin is not null);
        bool addEnd = config.AddEndOfText ?? (isT5 && end is not null);
        return new PostProcessor(
            addBegin ? [begin ?? vocabulary.Require(config.BeginOfText ?? "<s>", "'add_bos_token'")] : [],
            addEnd ? [end ?? vocabulary.Require(config.EndOfText ?? "</s>", "'add_eos_token'")] : []);
    }

    private static ImmutableArray<Func<DecodeStage, DecodeStage>> Decoder(SentencePieceModel file)
    {
        List<Func<DecodeStage, DecodeStage>> makers = [next => new ReplaceStage(next, Space.ToString(), " ")];
        if (file.ByteFallback) makers.Add(next => new ByteFallbackStage(next));
        if (file.AddDummyPrefix) makers.Add(next => new FusedStripStage(next, ' ', 1, 0));
        return [.. makers];
    }
}
