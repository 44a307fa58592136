using System.Text.Json.Nodes;

namespace TinyLlm.Text.Tests.Files;

/// <summary>A tokenizer.json of a few tokens, to be changed by tests.</summary>
internal static class SmallTokenizer
{
    /// <summary>A BPE of single letters and one merge; <paramref name="fields"/> replaces its top-level fields.</summary>
    public static byte[] With(string fields = "{}")
    {
        JsonObject file = JsonNode.Parse("""
            {"added_tokens": [{"id": 5, "content": "<s>", "special": true}], "normalizer": null, "pre_tokenizer": null, "post_processor": null,
             "decoder": {"type": "Fuse"},
             "model": {"type": "BPE", "unk_token": "?", "vocab": {"?": 0, "a": 1, "b": 2, "ab": 3, " ": 4}, "merges": ["a b"]}}
            """)!.AsObject();
        foreach ((string name, JsonNode? value) in JsonNode.Parse(fields)!.AsObject()) file[name] = value?.DeepClone();
        return System.Text.Encoding.UTF8.GetBytes(file.ToJsonString());
    }

    public static Tokenizer Load(string fields = "{}") => Tokenizer.Load(With(fields), []);
}
