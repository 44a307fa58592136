namespace TinyLlm.Text;

/// <summary>
/// The bounds on a tokenizer's files, which anyone may upload. The largest files seen in practice (vocabularies of 262,144 tokens) are half as large.
/// </summary>
internal static class TokenizerLimits
{
    /// <summary>Of tokenizer.json and tokenizer.model.</summary>
    public const int MaxFileBytes = 64 << 20;

    /// <summary>Of any part of tokenizer.json but vocabulary and merges, and of tokenizer_config.json: these are held as a tree.</summary>
    public const int MaxPartBytes = 8 << 20;

    /// <summary>Ids are below this, so that a table by id stays small.</summary>
    public const int MaxVocabulary = 1 << 20;

    public const int MaxMerges = 1 << 21;

    public const int MaxTokenChars = 1024;

    public const int MaxAddedTokens = 1 << 16;

    /// <summary>Of one added token: the search for them costs at most this much for each character of a text.</summary>
    public const int MaxAddedTokenChars = 256;

    /// <summary>Of a word that WordPiece cuts. BERT's own bound is 100.</summary>
    public const int MaxWordPieceCharacters = 1000;

    /// <summary>Normalizers, pre-tokenizers, post-processors and decoders of one file, each kind by itself.</summary>
    public const int MaxComponents = 64;

    /// <summary>Of a replacement, a prefix, a pattern.</summary>
    public const int MaxSettingChars = 4096;

    /// <summary>A text may grow by the file's rules to this many times its length plus <see cref="MaxGrowthChars"/>.</summary>
    public const int MaxGrowthFactor = 20;

    public const int MaxGrowthChars = 1 << 16;

    /// <summary>Throws when a text of <paramref name="from"/> characters grew beyond the bound.</summary>
    public static void CheckGrowth(long to, int from)
    {
        long limit = ((long)from * MaxGrowthFactor) + MaxGrowthChars;
        if (to > limit)
        {
            throw new TokenizerFormatException(TokenizerFormatError.TextGrowsTooMuch,
                $"the tokenizer's rules make a text of {from} characters grow to {to}: at most {limit} are allowed");
        }
    }
}
