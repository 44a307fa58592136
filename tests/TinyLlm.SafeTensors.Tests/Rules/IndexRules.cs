using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>The sharded index, by itself and against its shards.</summary>
internal static class IndexRules
{
    public static IEnumerable<Rule> All()
    {
        yield return new(
            "index of 100,000,001 bytes", SafeTensorsError.IndexTooLong, () => ShardedIndex.Parse(new byte[100_000_001]),
            "100000001", "100000000");
        yield return new("index without a map", SafeTensorsError.MissingField, () => ParseIndex("{}"), "weight_map");
        yield return new(
            "index with an extra field", SafeTensorsError.UnknownField, () => ParseIndex("""{"weight_map":{},"x":1}"""),
            "'x'", "weight_map and metadata");
        yield return new("index with text after it", SafeTensorsError.TrailingBytes, () => ParseIndex("""{"weight_map":{}} x"""), "0x78");
        yield return new("index that starts with a space", SafeTensorsError.HeaderStart, () => ParseIndex(""" {"weight_map":{}}"""), "index", "0x20");
        yield return new("index that is cut", SafeTensorsError.InvalidJson, () => ParseIndex("""{"weight_map":"""), "index", "byte 14 of 14");
        yield return new(
            "index that is not UTF-8", SafeTensorsError.InvalidUtf8, () => ShardedIndex.Parse([(byte)'{', 0xff]),
            "index", "byte 1 of 2");
        yield return new("two maps", SafeTensorsError.DuplicateKey, () => ParseIndex("""{"weight_map":{},"weight_map":{}}"""), "weight_map", "twice");
        yield return new(
            "two metadata blocks", SafeTensorsError.DuplicateKey, () => ParseIndex("""{"metadata":{},"metadata":{}}"""),
            "metadata", "twice");
        yield return new(
            "index metadata key twice", SafeTensorsError.DuplicateKey, () => ParseIndex("""{"metadata":{"k":1,"\u006b":2}}"""),
            "'k'", "twice");
        yield return new(
            "tensor twice in the index", SafeTensorsError.DuplicateKey,
            () => ParseIndex("""{"weight_map":{"ab":"m.safetensors","a\u0062":"m.safetensors"}}"""), "'ab'", "twice");
        yield return new(
            "shard is a number", SafeTensorsError.WrongJsonType, () => ParseIndex("""{"weight_map":{"ab":1}}"""),
            "'ab'", "a number", "a string");
        yield return new(
            "map is an array", SafeTensorsError.WrongJsonType, () => ParseIndex("""{"weight_map":[]}"""),
            "weight_map", "an array", "an object");
        yield return new(
            "index metadata of objects", SafeTensorsError.WrongJsonType, () => ParseIndex("""{"metadata":{"k":{}}}"""),
            "'k'", "an object");
        yield return new(
            "65,537 index entries", SafeTensorsError.TooManyTensors, () => ParseIndex($$$"""{"weight_map":{{{{Many(65_537, "m.safetensors")}}}}}"""),
            "index", "65536");
        yield return new(
            "8,193 index metadata entries", SafeTensorsError.TooManyMetadataEntries, () => ParseIndex($$$"""{"metadata":{{{{Many(8_193, "")}}}}}"""),
            "8192");
        yield return new(
            "16 MiB of index keys", SafeTensorsError.TextTooLong,
            () => ParseIndex($$$"""{"weight_map":{"{{{new string('x', (16 << 20) + 1)}}}":"m.safetensors"}}"""), "16777217", "16777216");
        string[] foreignNames =
        [
            "", ".safetensors", "../m.safetensors", "a/m.safetensors", @"a\\m.safetensors", "/m.safetensors", "m..safetensors", "m.bin",
            "m.safetensors ", "m\\u0000.safetensors", "é.safetensors", "C:m.safetensors", ".m.safetensors", "-.safetensors/x", $"{new string('m', 244)}.safetensors",
        ];
        foreach (string shard in foreignNames)
            yield return new(
                $"shard '{shard}'", SafeTensorsError.ShardName, () => ParseIndex($$$"""{"weight_map":{"ab":"{{{shard}}}"}}"""),
                "'ab'", "255", ".safetensors");
        yield return new(
            "shard not there", SafeTensorsError.ShardMissing, () => Shards("""{"ab":"x.safetensors"}""", ("m.safetensors", "ab")),
            "'ab'", "'x.safetensors'", "not there");
        yield return new(
            "shard beyond the index", SafeTensorsError.ShardNotIndexed,
            () => Shards("""{"ab":"m.safetensors"}""", ("m.safetensors", "ab"), ("x.safetensors", "y")), "'x.safetensors'", "0 entries");
        yield return new(
            "tensor not in its shard", SafeTensorsError.TensorMissing, () => Shards("""{"ab":"m.safetensors"}""", ("m.safetensors", "y")),
            "'ab'", "'m.safetensors'");
        yield return new(
            "tensor in another shard", SafeTensorsError.TensorMissing,
            () => Shards("""{"ab":"m.safetensors","y":"m.safetensors"}""", ("m.safetensors", "y"), ("x.safetensors", "ab")),
            "'ab'", "'m.safetensors'");
        yield return new(
            "tensor left over", SafeTensorsError.TensorNotIndexed, () => Shards("""{"y":"m.safetensors"}""", ("m.safetensors", "y,ab")),
            "'ab'", "'m.safetensors'");
        yield return new(
            "tensor in two shards", SafeTensorsError.TensorNotIndexed,
            () => Shards("""{"ab":"m.safetensors","y":"x.safetensors"}""", ("m.safetensors", "ab"), ("x.safetensors", "y,ab")),
            "'ab'", "'x.safetensors'");
    }
}
