using System.Buffers;
using System.Text.Json;

namespace TinyLlm.SafeTensors;

/// <summary>The index's schema: weight_map, and metadata of scalars.</summary>
internal ref struct IndexParser(ReadOnlySpan<byte> utf8)
{
    private const string ShardSuffix = ".safetensors";
    private const int MaxShardNameCharacters = 255;

    private static readonly SearchValues<char> s_shardNameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    private readonly Dictionary<string, string> _weightMap = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _shardNames = new(StringComparer.Ordinal);
    private StrictJson _json = new(utf8, "index");
    private bool _sawWeightMap;
    private bool _sawMetadata;

    public Dictionary<string, string> Parse()
    {
        while (_json.NextKey())
        {
            if (_json.TextEquals("weight_map"u8)) ParseWeightMap();
            else if (_json.TextEquals("metadata"u8)) ParseMetadata();
            else throw UnknownField();
        }
        if (!_sawWeightMap)
            throw Refusal.Of(SafeTensorsError.MissingField, "the index's field 'weight_map' is absent, and must be there once: add it");
        int stray = _json.Rest.IndexOfAnyExcept(" \t\r\n"u8);
        if (stray < 0) return _weightMap;
        throw Refusal.Of(
            SafeTensorsError.TrailingBytes,
            $"after the index's object stands byte 0x{_json.Rest[stray]:x2}, and only white space may: remove what follows");
    }

    private void ParseWeightMap()
    {
        if (_sawWeightMap) throw Duplicate("field 'weight_map' of the index");
        _sawWeightMap = true;
        _json.NextValue(JsonTokenType.StartObject, "weight_map");
        while (_json.NextKey())
        {
            if (_weightMap.Count == SafeTensorsLimits.MaxTensors)
            {
                throw Refusal.Of(
                    SafeTensorsError.TooManyTensors,
                    $"the index has more than {SafeTensorsLimits.MaxTensors} tensors, the bound: this model is too large for this host");
            }
            string tensor = _json.KeepText();
            _json.NextValue(JsonTokenType.String, "the shard", tensor);
            if (!_weightMap.TryAdd(tensor, ParseShardName(tensor)))
            {
                throw Refusal.OfTensor(
                    tensor, SafeTensorsError.DuplicateKey, "the name is in weight_map twice, and may be there once: remove one of the two");
            }
        }
    }

    /// <summary>One string for each shard, however many entries name it.</summary>
    private string ParseShardName(string tensor)
    {
        ReadOnlySpan<char> shard = _json.PeekText(stackalloc char[MaxShardNameCharacters + 1]);
        if (_shardNames.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(shard, out string? known)) return known;
        if (!IsShardName(shard))
        {
            throw Refusal.OfTensor(
                tensor, SafeTensorsError.ShardName,
                $"shard {Printable.Quote(shard.ToString())} is not a bare file name of 1 to {MaxShardNameCharacters} letters, digits, '-', '_' "
                + $"and single dots that ends in {ShardSuffix}: rename the shard");
        }
        known = _json.KeepText();
        _shardNames.Add(known, known);
        return known;
    }

    /// <summary>Whether the text may name a shard: letters, digits, '-', '_' and single dots, no leading dot, and the suffix.</summary>
    private static bool IsShardName(ReadOnlySpan<char> name) =>
        name.Length is > 0 and <= MaxShardNameCharacters
        && char.IsAsciiLetterOrDigit(name[0])
        && name.EndsWith(ShardSuffix, StringComparison.Ordinal)
        && !name.Contains("..", StringComparison.Ordinal)
        && name.IndexOfAnyExcept(s_shardNameCharacters) < 0;

    private void ParseMetadata()
    {
        if (_sawMetadata) throw Duplicate("field 'metadata' of the index");
        _sawMetadata = true;
        _json.NextValue(JsonTokenType.StartObject, "metadata");
        HashSet<string> keys = new(StringComparer.Ordinal);
        while (_json.NextKey())
        {
            if (keys.Count == SafeTensorsLimits.MaxMetadataEntries)
            {
                throw Refusal.Of(
                    SafeTensorsError.TooManyMetadataEntries,
                    $"metadata has more than {SafeTensorsLimits.MaxMetadataEntries} entries, the bound: remove some");
            }
            string key = _json.KeepText();
            if (!keys.Add(key)) throw Duplicate($"key {Printable.Quote(key)} of metadata");
            _json.NextScalar("metadata", key);
        }
    }

    private readonly SafeTensorsException UnknownField()
    {
        string field = _json.PeekText(stackalloc char[Printable.MaxCharacters]).ToString();
        return Refusal.Of(SafeTensorsError.UnknownField, $"the index's field {Printable.Quote(field)} is none of weight_map and metadata: remove it");
    }

    private static SafeTensorsException Duplicate(string what) =>
        Refusal.Of(SafeTensorsError.DuplicateKey, $"{what} is there twice, and may be there once: remove one of the two");
}
