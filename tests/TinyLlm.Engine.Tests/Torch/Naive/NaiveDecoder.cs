using System.Text.Json;

namespace TinyLlm.Engine.Tests;

/// <summary>
/// The forward pass as the papers and Hugging Face's semantics have it, in double precision, without cache or tensor library. Shares no code
/// with the engine, not even the reading of config.json: only the reader of SafeTensors. Written once per family, to catch the engine's mistakes.
/// </summary>
internal static class NaiveDecoder
{
    /// <summary>The logits after each of these ids: (T, V).</summary>
    public static double[][] Logits(string folder, int[] ids)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")));
        NaiveConfig config = new(document.RootElement);
        NaiveWeights weights = new(Path.Combine(folder, "model.safetensors"));
        return document.RootElement.GetProperty("architectures")[0].GetString() switch
        {
            "GPT2LMHeadModel" => NaiveGpt2.Logits(config, weights, ids),
            "GPTNeoForCausalLM" => NaiveGptNeo.Logits(config, weights, ids),
            "GPTNeoXForCausalLM" => NaiveGptNeoX.Logits(config, weights, ids),
            "OPTForCausalLM" => NaiveOpt.Logits(config, weights, ids),
            "Gemma3ForCausalLM" => NaiveGemma.Logits(config, weights, ids),
            "TinyLlmNGramForCausalLM" => [.. ids.Select(id => weights.Row("transitions.weight", id))],
            "TinyLlmBigramForCausalLM" => [.. ids.Select(id => NaiveMath.Sum(weights.Times("embeddings", weights.Row("embeddings.weight", id)), weights["output.bias"]))],
            string llama => NaiveLlama.Logits(llama, config, weights, ids),
            null => throw new InvalidDataException("no architecture"),
        };
    }
}
