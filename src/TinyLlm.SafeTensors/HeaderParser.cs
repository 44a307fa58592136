using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace TinyLlm.SafeTensors;

/// <summary>
/// The header's schema: an object of tensors, and <c>__metadata__</c>. Checks each tensor as it passes and stops at the first fault or
/// limit; how the tensors lie beside each other is <see cref="TensorLayout"/>'s matter.
/// </summary>
internal ref struct HeaderParser
{
    private const byte Padding = 0x20;
    private const int LongestDTypeName = 16;

    // The default comparers randomise their hash once foreign keys collide.
    private readonly Dictionary<string, TensorInfo> _tensors = new(StringComparer.Ordinal);
    private Dictionary<string, string>? _metadata;
    private StrictJson _json;

    public HeaderParser(ReadOnlySpan<byte> headerJson)
    {
        _json = new StrictJson(headerJson, "header");
    }

    /// <summary>The tensors by name, in the order of the header.</summary>
    public readonly Dictionary<string, TensorInfo> Tensors => _tensors;

    public readonly FrozenDictionary<string, string> Metadata =>
        _metadata is null ? FrozenDictionary<string, string>.Empty : _metadata.ToFrozenDictionary(StringComparer.Ordinal);

    public void Parse()
    {
        while (_json.NextKey())
        {
            if (_json.TextEquals("__metadata__"u8)) ParseMetadata();
            else ParseTensor();
        }
        int stray = _json.Rest.IndexOfAnyExcept(Padding);
        if (stray >= 0)
        {
            throw Refusal.Of(
                SafeTensorsError.TrailingBytes,
                $"after the header's object stands byte 0x{_json.Rest[stray]:x2}, and only spaces (0x20) may: pad with spaces or shorten the header");
        }
    }

    private void ParseMetadata()
    {
        if (_metadata is not null) throw Duplicate("key '__metadata__' of the header");
        _json.NextValue(JsonTokenType.StartObject, "__metadata__");
        _metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        while (_json.NextKey())
        {
            if (_metadata.Count == SafeTensorsLimits.MaxMetadataEntries)
            {
                throw Refusal.Of(
                    SafeTensorsError.TooManyMetadataEntries,
                    $"__metadata__ has more than {SafeTensorsLimits.MaxMetadataEntries} entries, the bound: keep long metadata in a file of its own");
            }
            string key = _json.KeepText();
            _json.NextValue(JsonTokenType.String, "__metadata__", tensor: null, key);
            if (!_metadata.TryAdd(key, _json.KeepText())) throw Duplicate($"key {Printable.Quote(key)} of __metadata__");
        }
    }

    private void ParseTensor()
    {
        if (_tensors.Count == SafeTensorsLimits.MaxTensors)
        {
            throw Refusal.Of(
                SafeTensorsError.TooManyTensors,
                $"the header has more than {SafeTensorsLimits.MaxTensors} tensors, the bound: split the file into shards");
        }
        string name = _json.KeepText();
        CheckName(name);
        if (_tensors.ContainsKey(name))
        {
            throw Refusal.OfTensor(
                name, SafeTensorsError.DuplicateKey, "the name is there twice, and may be there once: remove or rename one of the two");
        }

        DType? dtype = null;
        ImmutableArray<long>? shape = null;
        (long Begin, long End)? offsets = null;
        _json.NextValue(JsonTokenType.StartObject, "the entry", name);
        while (_json.NextKey())
        {
            if (_json.TextEquals("dtype"u8)) dtype = dtype is null ? ParseDType(name) : throw DuplicateField("dtype", name);
            else if (_json.TextEquals("shape"u8)) shape = shape is null ? ParseShape(name) : throw DuplicateField("shape", name);
            else if (_json.TextEquals("data_offsets"u8)) offsets = offsets is null ? ParseOffsets(name) : throw DuplicateField("data_offsets", name);
            else throw UnknownField(name);
        }

        TensorInfo tensor = new(
            name,
            dtype ?? throw MissingField("dtype", name),
            shape ?? throw MissingField("shape", name),
            offsets?.Begin ?? throw MissingField("data_offsets", name),
            offsets.Value.End);
        CheckSize(tensor);
        _tensors.Add(name, tensor);
    }

    private DType ParseDType(string name)
    {
        _json.NextValue(JsonTokenType.String, "dtype", name);
        ReadOnlySpan<char> wireName = _json.PeekText(stackalloc char[LongestDTypeName]);
        return DTypes.FromWireName(wireName) ?? throw Refusal.OfTensor(
            name, SafeTensorsError.UnknownDType,
            $"dtype is {Printable.Quote(wireName.ToString())}, and must be one of "
            + $"{string.Join(", ", Enum.GetValues<DType>().Select(DTypes.WireName))}: convert the tensor");
    }

    private ImmutableArray<long> ParseShape(string name)
    {
        Span<long> shape = stackalloc long[SafeTensorsLimits.MaxRank];
        int rank = 0;
        _json.NextValue(JsonTokenType.StartArray, "shape", name);
        while (_json.NextElement())
        {
            long dimension = _json.Integer("a dimension of shape", name);
            if (rank == shape.Length)
            {
                throw Refusal.OfTensor(
                    name, SafeTensorsError.RankTooHigh,
                    $"shape has more than {SafeTensorsLimits.MaxRank} dimensions, the bound: fold some of them together");
            }
            shape[rank++] = dimension;
        }
        return [.. shape[..rank]];
    }

    private (long Begin, long End) ParseOffsets(string name)
    {
        Span<long> offsets = stackalloc long[2];
        int count = 0;
        _json.NextValue(JsonTokenType.StartArray, "data_offsets", name);
        while (_json.NextElement())
        {
            long offset = _json.Integer("an offset of data_offsets", name);
            if (count == offsets.Length) throw OffsetCount("more than 2", name);
            offsets[count++] = offset;
        }
        if (count < offsets.Length) throw OffsetCount($"{count}", name);
        if (offsets[1] < offsets[0])
        {
            throw Refusal.OfTensor(
                name, SafeTensorsError.OffsetsReversed,
                $"data_offsets end at {offsets[1]}, and may not end before they begin, at {offsets[0]}: write [begin, end]");
        }
        return (offsets[0], offsets[1]);
    }

    private static void CheckName(string name)
    {
        if (name.Length == 0)
            throw Refusal.OfTensor(name, SafeTensorsError.EmptyName, "the name has 0 characters, and must have 1 or more: give it one");
        if (name.Contains('\0'))
            throw Refusal.OfTensor(name, SafeTensorsError.NameHasNul, "the name holds NUL (U+0000), and may hold 0 of them: rename the tensor");
        if (name.Contains("..", StringComparison.Ordinal))
            throw Refusal.OfTensor(name, SafeTensorsError.NameHasDotDot, "the name holds '..', and may have 1 dot in a row: rename the tensor");
    }

    private static void CheckSize(TensorInfo tensor)
    {
        long expected = TensorSize.Bytes(tensor.Name, tensor.DType, tensor.Shape.AsSpan());
        if (expected == tensor.ByteCount) return;
        throw Refusal.OfTensor(
            tensor.Name, SafeTensorsError.SizeMismatch,
            $"data_offsets [{tensor.Begin}, {tensor.End}] hold {tensor.ByteCount} bytes, and shape [{string.Join(", ", tensor.Shape)}] of "
            + $"{tensor.DType.WireName()} takes {expected}: correct shape, dtype or offsets");
    }

    private static SafeTensorsException OffsetCount(string count, string name) => Refusal.OfTensor(
        name, SafeTensorsError.OffsetCount, $"data_offsets holds {count} numbers, and must hold 2: write [begin, end]");

    private readonly SafeTensorsException UnknownField(string name)
    {
        string field = _json.PeekText(stackalloc char[Printable.MaxCharacters]).ToString();
        return Refusal.OfTensor(
            name, SafeTensorsError.UnknownField,
            $"field {Printable.Quote(field)} is none of dtype, shape and data_offsets: remove it, or move it to __metadata__");
    }

    private static SafeTensorsException MissingField(string field, string name) => Refusal.OfTensor(
        name, SafeTensorsError.MissingField, $"field '{field}' is absent, and must be there once: add it");

    private static SafeTensorsException DuplicateField(string field, string name) =>
        Refusal.OfTensor(name, SafeTensorsError.DuplicateKey, $"field '{field}' is there twice, and may be there once: remove one of the two");

    private static SafeTensorsException Duplicate(string what) =>
        Refusal.Of(SafeTensorsError.DuplicateKey, $"{what} is there twice, and may be there once: remove one of the two");
}
