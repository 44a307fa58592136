namespace TinyLlm.SafeTensors;

/// <summary>
/// Every way in which a file, a header, a sharded index or a set of tensors to write can be refused: one member per rule.
/// The set is closed; callers map it to their own answers.
/// </summary>
public enum SafeTensorsError
{
    // The file as a whole.
    /// <summary>No file of that name.</summary>
    FileMissing,
    /// <summary>The path names a directory.</summary>
    NotAFile,
    /// <summary>The operating system refused to open, read or map the file: not the content's fault.</summary>
    FileUnreadable,
    /// <summary>Fewer than the 8 bytes of the length prefix.</summary>
    FileTooShort,
    /// <summary>The stream ended inside the length prefix or the header that it announced.</summary>
    StreamTooShort,

    // The length prefix.
    /// <summary>The header is longer than <see cref="SafeTensorsLimits.MaxHeaderBytes"/>.</summary>
    HeaderTooLong,
    /// <summary>The header would end after the file does.</summary>
    HeaderPastEnd,

    // The header, or the index, as text.
    /// <summary>The first byte is not an opening brace: white space, a byte order mark, an empty header.</summary>
    HeaderStart,
    /// <summary>Bytes that are not UTF-8.</summary>
    InvalidUtf8,
    /// <summary>Not JSON: syntax, comments, trailing commas, nesting.</summary>
    InvalidJson,
    /// <summary>After the object stands something else than padding.</summary>
    TrailingBytes,
    /// <summary>An escaped surrogate without its other half.</summary>
    LoneSurrogate,

    // The header as a structure.
    /// <summary>The same key twice in one object, whatever its spelling.</summary>
    DuplicateKey,
    /// <summary>A value of another JSON type than the schema has there.</summary>
    WrongJsonType,
    /// <summary>A field that the schema does not have.</summary>
    UnknownField,
    /// <summary>A field that the schema demands is absent.</summary>
    MissingField,
    /// <summary>A number that is no plain non-negative integer: a sign, a fraction, an exponent.</summary>
    NotAnInteger,
    /// <summary>An integer above <see cref="SafeTensorsLimits.MaxInteger"/>.</summary>
    IntegerTooLarge,
    /// <summary>data_offsets does not hold exactly two numbers.</summary>
    OffsetCount,
    /// <summary>A dtype that the format does not know.</summary>
    UnknownDType,

    // Limits.
    /// <summary>More than <see cref="SafeTensorsLimits.MaxTensors"/> tensors.</summary>
    TooManyTensors,
    /// <summary>More than <see cref="SafeTensorsLimits.MaxMetadataEntries"/> metadata entries.</summary>
    TooManyMetadataEntries,
    /// <summary>More than <see cref="SafeTensorsLimits.MaxRank"/> dimensions.</summary>
    RankTooHigh,
    /// <summary>Names plus metadata exceed <see cref="SafeTensorsLimits.MaxTextBytes"/> once decoded.</summary>
    TextTooLong,

    // Tensor names.
    /// <summary>A tensor without a name.</summary>
    EmptyName,
    /// <summary>A tensor name that holds NUL.</summary>
    NameHasNul,
    /// <summary>A tensor name that holds two dots in a row.</summary>
    NameHasDotDot,
    /// <summary>A tensor to write takes the name of the metadata block.</summary>
    ReservedName,

    // Sizes and offsets.
    /// <summary>The element count or the bit count of a shape passes 64 bits.</summary>
    SizeOverflow,
    /// <summary>Elements of 4 or 6 bits that do not fill whole bytes.</summary>
    PartialByte,
    /// <summary>Shape times dtype is not the number of bytes given.</summary>
    SizeMismatch,
    /// <summary>An end offset before its begin.</summary>
    OffsetsReversed,
    /// <summary>Bytes before a tensor that belong to none.</summary>
    Hole,
    /// <summary>A tensor begins before the previous one ends.</summary>
    Overlap,
    /// <summary>The tensors end after the file does.</summary>
    DataPastEnd,
    /// <summary>The file goes on after the last tensor.</summary>
    UnclaimedBytes,

    // Access.
    /// <summary>A tensor that this file's header does not hold.</summary>
    TensorNotInFile,
    /// <summary>A tensor of more bytes than one span can hold.</summary>
    TensorTooLargeForSpan,

    // The sharded index.
    /// <summary>The index is longer than <see cref="SafeTensorsLimits.MaxHeaderBytes"/>.</summary>
    IndexTooLong,
    /// <summary>A shard's name is not a bare file name that ends in .safetensors.</summary>
    ShardName,
    /// <summary>The index names a shard that is not there.</summary>
    ShardMissing,
    /// <summary>A shard is there that the index does not name.</summary>
    ShardNotIndexed,
    /// <summary>A tensor is not in the shard that the index names for it.</summary>
    TensorMissing,
    /// <summary>A shard holds a tensor that the index does not place there.</summary>
    TensorNotIndexed,
}
