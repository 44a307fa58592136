using System.Text;
using TinyLlm.SafeTensors.Tests.Fuzzing;

namespace TinyLlm.SafeTensors.Tests;

/// <summary>Legal indexes; the others are in <see cref="RuleTests"/>.</summary>
public sealed class ShardedIndexTests
{
    [Fact]
    public void Parse_IndexAsExportersWriteIt_GivesTheMap()
    {
        ShardedIndex index = ShardedIndex.Parse("""
            {
              "metadata": {
                "total_size": 2.5e9,
                "format": "pt",
                "quantized": null,
                "tied": true
              },
              "weight_map": {
                "lm_head.weight": "model-00002-of-00002.safetensors",
                "model.embed_tokens.weight": "model-00001-of-00002.safetensors",
                "model.norm.weight": "model-00002-of-00002.safetensors"
              }
            }

            """u8);

        Assert.Equal(3, index.WeightMap.Count);
        Assert.Equal("model-00001-of-00002.safetensors", index.WeightMap["model.embed_tokens.weight"]);
        Assert.Same(index.WeightMap["lm_head.weight"], index.WeightMap["model.norm.weight"]);
    }

    [Fact]
    public void Validate_ShardsThatHoldExactlyTheMap_Passes()
    {
        ShardedIndex index = ShardedIndex.Parse("""{"weight_map":{"a":"m-1.safetensors","b":"m-1.safetensors","c":"m-2.safetensors"}}"""u8);

        index.Validate(new Dictionary<string, SafeTensorsHeader> { ["m-1.safetensors"] = Header("a", "b"), ["m-2.safetensors"] = Header("c") });
    }

    [Fact]
    public void Validate_EmptyMapWithoutShards_Passes() =>
        ShardedIndex.Parse("""{"weight_map":{}}"""u8).Validate(new Dictionary<string, SafeTensorsHeader>());

    [Fact]
    public void Parse_LongestShardName_IsLegal()
    {
        string shard = $"{new string('m', 243)}.safetensors";

        ShardedIndex index = ShardedIndex.Parse(Encoding.ASCII.GetBytes($$$"""{"weight_map":{"a":"{{{shard}}}"}}"""));

        Assert.Equal(shard, index.WeightMap["a"]);
    }

    [Fact]
    public void Parse_MostEntriesWithAShardEach_StaysWithinTheReadersMemory()
    {
        IEnumerable<string> entries = Enumerable.Range(0, SafeTensorsLimits.MaxTensors)
            .Select(i => $"\"{i:x}\":\"{i.ToString("x").PadLeft(200, 'm')}.safetensors\"");
        byte[] json = Encoding.ASCII.GetBytes($$$"""{"weight_map":{{{{string.Join(',', entries)}}}}}""");
        long before = GC.GetAllocatedBytesForCurrentThread();

        ShardedIndex index = ShardedIndex.Parse(json);

        Assert.Equal(SafeTensorsLimits.MaxTensors, index.WeightMap.Count);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, FuzzRun.MaxAllocatedBytes - 1);
    }

    [Fact]
    public void Parse_TenThousandMutations_AreReadOrRefused()
    {
        byte[] seed = FileText.File(
            """{"metadata":{"total_size":12},"weight_map":{"a":"m-1.safetensors","\u0062":"m-1.safetensors","c":"m-2.safetensors"}}""", 0);
        int accepted = 0;
        for (ulong i = 0; i < 10_000; i++)
        {
            FuzzRandom random = new(i);
            byte[] mutated = Mutator.Mutate([.. seed], 1 + random.Below(3), random);
            try
            {
                ShardedIndex index = ShardedIndex.Parse(mutated.AsSpan(Math.Min(8, mutated.Length)));
                Assert.All(index.WeightMap.Values, shard => Assert.Matches("^[A-Za-z0-9][A-Za-z0-9._-]*[.]safetensors$", shard));
                accepted++;
            }
            catch (SafeTensorsException)
            {
                // Refused, which is the only other way out.
            }
        }
        Assert.InRange(accepted, 500, 9_500);
    }

    private static SafeTensorsHeader Header(params string[] names)
    {
        byte[] header = Encoding.UTF8.GetBytes($"{{{string.Join(',', names.Select((name, i) => FileText.Entry(name, "U8", "1", $"{i},{i + 1}")))}}}");
        return SafeTensorsHeader.Parse(header, 8 + header.Length + names.Length);
    }
}
