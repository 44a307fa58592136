using System.Collections.Frozen;
using System.Text.Json;
using TinyLlm.Text.Files;

namespace TinyLlm.Text.Models;

/// <summary>Reads tokenizer.json's <c>model</c>. A kind or an option that is not implemented is an error, never a guess.</summary>
internal static class TokenModelReader
{
    public static TokenModel Read(TokenizerJson file, Vocabulary vocabulary, FrozenSet<int> specialIds)
    {
        JsonElement settings = JsonSerializer.SerializeToElement(file.ModelSettings);
        string type = settings.OptionalString("type") ?? Guess(file);
        return type switch
        {
            "BPE" => ReadBytePair(file, settings, vocabulary, specialIds),
            "Unigram" => ReadUnigram(file, settings, vocabulary, specialIds),
            "WordPiece" => ReadWordPiece(file, settings, vocabulary, specialIds),
            _ => throw new TokenizerFormatException(TokenizerFormatError.UnsupportedModel, $"model {TokenizerFormatException.Quote(type)} is not supported"),
        };
    }

    /// <summary>Older files leave the kind out; the reference then tries them in this order.</summary>
    private static string Guess(TokenizerJson file) => file switch
    {
        { Merges: not null } => "BPE",
        { VocabularyHasScores: true } => "Unigram",
        _ => "WordPiece",
    };

    private static BytePairModel ReadBytePair(TokenizerJson file, JsonElement settings, Vocabulary vocabulary, FrozenSet<int> specialIds)
    {
        if (file.VocabularyHasScores)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, "'vocab' of a BPE model must be an object");
        // Dropout makes ids random: it is for training.
        if (settings.Field("dropout") is { } dropout && !(dropout.ValueKind == JsonValueKind.Number && dropout.GetDouble() == 0))
            throw new TokenizerFormatException(TokenizerFormatError.UnsupportedModel, "'dropout' is not supported: remove it, ids must not be random");
        string? unknown = settings.OptionalString("unk_token");
        BytePairOptions options = new()
        {
            UnknownId = unknown is null ? null : vocabulary.Require(unknown, "'unk_token'"),
            FuseUnknown = settings.Flag("fuse_unk", absent: false),
            ByteFallback = settings.Flag("byte_fallback", absent: false),
            IgnoreMerges = settings.Flag("ignore_merges", absent: false),
            NeverWhole = specialIds,
            ContinuingPrefix = ReadAffix(settings, "continuing_subword_prefix"),
            EndOfWordSuffix = ReadAffix(settings, "end_of_word_suffix"),
        };
        MergeRule[] merges = [.. (file.Merges ?? []).Select((merge, rank) => new MergeRule(merge.Left, merge.Right, rank))];
        return new BytePairModel(vocabulary, merges, options);
    }

    private static UnigramModel ReadUnigram(TokenizerJson file, JsonElement settings, Vocabulary vocabulary, FrozenSet<int> specialIds)
    {
        if (!file.VocabularyHasScores)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, "'vocab' of a Unigram model must be a list of tokens with scores");
        int? unknownId = settings.OptionalInteger("unk_id", 0, vocabulary.Size - 1);
        int?[]? byteIds = settings.Flag("byte_fallback", absent: false) ? ByteTokens.FindAll(vocabulary) : null;
        return new UnigramModel(file.Vocabulary!, unknownId, byteIds, id => !specialIds.Contains(id));
    }

    private static WordPieceModel ReadWordPiece(TokenizerJson file, JsonElement settings, Vocabulary vocabulary, FrozenSet<int> specialIds)
    {
        if (file.VocabularyHasScores)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, "'vocab' of a WordPiece model must be an object");
        int unknownId = vocabulary.Require(settings.OptionalString("unk_token") ?? "[UNK]", "'unk_token'");
        int maxCharacters = settings.OptionalInteger("max_input_chars_per_word", 1, TokenizerLimits.MaxWordPieceCharacters) ?? 100;
        string prefix = settings.Field("continuing_subword_prefix") is null ? "##" : ReadAffix(settings, "continuing_subword_prefix");
        return new WordPieceModel(file.Vocabulary!, unknownId, prefix, maxCharacters, id => !specialIds.Contains(id));
    }

    private static string ReadAffix(JsonElement settings, string name)
    {
        string affix = settings.OptionalString(name) ?? "";
        if (affix.Length <= TokenizerLimits.MaxTokenChars) return affix;
        throw new TokenizerFormatException(TokenizerFormatError.TooLarge,
            $"'{name}' has {affix.Length} characters: at most {TokenizerLimits.MaxTokenChars} are allowed");
    }
}
