namespace TinyLlm.Text;

/// <summary>Why a tokenizer's files were refused. The set is closed: every refusal is one of these.</summary>
public enum TokenizerFormatError
{
    /// <summary>A file, a part of it, a string or a list is beyond its bound.</summary>
    TooLarge,

    /// <summary>Not well-formed JSON, or a key given twice in one object.</summary>
    NotJson,

    /// <summary>A field that must be there is not.</summary>
    MissingField,

    /// <summary>A field has a value of the wrong kind or outside its range.</summary>
    BadField,

    /// <summary>A token given twice, an id given twice, or an id outside its range.</summary>
    BadVocabulary,

    /// <summary>A merge that is malformed, given twice, or names a token that the vocabulary lacks.</summary>
    BadMerge,

    /// <summary>An added token is empty, or contradicts the vocabulary or another added token.</summary>
    BadAddedToken,

    /// <summary>The precompiled character map is malformed.</summary>
    BadCharacterMap,

    /// <summary>The SentencePiece model file is malformed.</summary>
    BadSentencePiece,

    /// <summary>A part of the file names a token that is in no vocabulary.</summary>
    UnknownToken,

    /// <summary>The kind of model, or an option of it, is not one that this tokenizer implements.</summary>
    UnsupportedModel,

    /// <summary>The kind of normalizer, or an option of it, is not one that this tokenizer implements.</summary>
    UnsupportedNormalizer,

    /// <summary>The kind of pre-tokenizer, or an option of it, is not one that this tokenizer implements.</summary>
    UnsupportedPreTokenizer,

    /// <summary>The kind of post-processor, or an option of it, is not one that this tokenizer implements.</summary>
    UnsupportedPostProcessor,

    /// <summary>The kind of decoder, or an option of it, is not one that this tokenizer implements.</summary>
    UnsupportedDecoder,

    /// <summary>A regular expression that this tokenizer can't run with the reference's meaning and in bounded time.</summary>
    UnsupportedPattern,

    /// <summary>The file's rules make a text grow beyond the bound while it is encoded.</summary>
    TextGrowsTooMuch,

    /// <summary>A regular expression of the file took too long on a text.</summary>
    PatternTooSlow,
}
