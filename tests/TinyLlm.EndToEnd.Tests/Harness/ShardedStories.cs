using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>The reference model in two shards with an index, as large models come.</summary>
internal static class ShardedStories
{
    public static Dictionary<string, byte[]> Split(Dictionary<string, byte[]> files)
    {
        const string first = "model-00001-of-00002.safetensors";
        const string second = "model-00002-of-00002.safetensors";
        WeightsFile weights = WeightsFile.Parse(files["model.safetensors"]);
        string[] names = [.. weights.TensorNames];
        JsonObject map = [];
        foreach (string name in names) map[name] = Array.IndexOf(names, name) < names.Length / 2 ? first : second;

        Dictionary<string, byte[]> sharded = new(files);
        sharded.Remove("model.safetensors");
        sharded[first] = weights.Only(names[..(names.Length / 2)]);
        sharded[second] = weights.Only(names[(names.Length / 2)..]);
        sharded["model.safetensors.index.json"] = Encoding.UTF8.GetBytes(new JsonObject { ["metadata"] = new JsonObject(), ["weight_map"] = map }.ToJsonString());
        return sharded;
    }
}
