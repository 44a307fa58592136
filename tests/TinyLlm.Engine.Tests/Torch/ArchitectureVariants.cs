using System.Text.Json.Nodes;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>Every architecture as it is, and with each option that changes its result.</summary>
internal static class ArchitectureVariants
{
    public const string Plain = "plain";

    private const string Llama = "LlamaForCausalLM", Mistral = "MistralForCausalLM", Qwen2 = "Qwen2ForCausalLM", Qwen3 = "Qwen3ForCausalLM", Phi3 = "Phi3ForCausalLM";
    private const string Gemma3 = "Gemma3ForCausalLM", Gpt2 = "GPT2LMHeadModel", GptNeo = "GPTNeoForCausalLM", GptNeoX = "GPTNeoXForCausalLM", Opt = "OPTForCausalLM";

    private static readonly (string Architecture, string Name, string Patch, Action<TinyCheckpoint>? Change)[] s_variants =
    [
        .. TinyShapes.Architectures.Select(architecture => (architecture, Plain, "{}", (Action<TinyCheckpoint>?)null)),
        (Llama, "tied", """{"tie_word_embeddings": true}""", null),
        (Llama, "biases", """{"attention_bias": true, "mlp_bias": true}""", tiny => AddBiases(tiny, "_proj.")),
        (Llama, "gelu", """{"hidden_act": "gelu"}""", null),
        // Matrices of 269 KB, which a few rows multiply in another way than those of small models.
        (Llama, "wide, biases", """{"intermediate_size": 4200, "attention_bias": true, "mlp_bias": true}""", tiny =>
        {
            foreach (int layer in (int[])[0, 1])
            {
                tiny.Fill($"model.layers.{layer}.mlp.gate_proj.weight", 4200, 16);
                tiny.Fill($"model.layers.{layer}.mlp.up_proj.weight", 4200, 16);
                tiny.Fill($"model.layers.{layer}.mlp.down_proj.weight", 16, 4200);
            }
            AddBiases(tiny, "_proj.");
        }),
        (Llama, "rope linear", """{"rope_scaling": {"type": "linear", "factor": 4.0}}""", null),
        (Llama, "rope dynamic", """{"max_position_embeddings": 32, "rope_scaling": {"type": "dynamic", "factor": 4.0}}""", null),
        (Llama, "rope llama3", """{"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}}""", null),
        (Llama, "rope yarn", """{"head_dim": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}}""", null),
        (Llama, "rope yarn, mscale", """{"rope_theta": 500.0, "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 4, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 0.5, "truncate": false}}""", null),
        (Llama, "rope yarn, factor given", """{"rope_parameters": {"rope_theta": 500.0, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "attention_factor": 1.5}}""", null),
        (Llama, "without prefix, frequencies saved", "{}", tiny =>
        {
            tiny.ReplacePrefix("model.", "");
            tiny.Fill("layers.1.self_attn.rotary_emb.inv_freq", 2);
        }),
        (Mistral, "window", """{"sliding_window": 8}""", null),
        (Qwen2, "window from layer 1", """{"use_sliding_window": true, "sliding_window": 8, "max_window_layers": 1}""", null),
        (Qwen2, "layer types", """{"use_sliding_window": true, "sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]}""", null),
        (Qwen3, "biases", """{"attention_bias": true}""", tiny => AddBiases(tiny, "self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj.", "self_attn.o_proj.")),
        (Phi3, "window", """{"sliding_window": 8}""", null),
        (Phi3, "partial rotary", """{"partial_rotary_factor": 0.5}""", null),
        (Phi3, "rope longrope", """{"original_max_position_embeddings": 100, "rope_scaling": {"type": "longrope", "short_factor": [1.25, 3.0], "long_factor": [2.0, 9.0]}}""", null),
        (Gemma3, "tied, all biases", """{"tie_word_embeddings": true, "attention_bias": true}""", tiny => AddBiases(tiny, "self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj.", "self_attn.o_proj.")),
        (Gemma3, "caps", """{"attn_logit_softcapping": 2.0, "final_logit_softcapping": 1.5}""", null),
        (Gemma3, "rope linear", """{"rope_scaling": {"rope_type": "linear", "factor": 8.0}}""", null),
        (Gemma3, "rope by layer type", """{"rope_theta": null, "layer_types": ["full_attention", "sliding_attention", "sliding_attention"], "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 5000.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 300.0}}}""", null),
        (Gpt2, "gelu", """{"activation_function": "gelu"}""", null),
        (Gpt2, "gelu_fast", """{"activation_function": "gelu_fast"}""", null),
        (Gpt2, "relu", """{"activation_function": "relu"}""", null),
        (Gpt2, "silu", """{"activation_function": "silu"}""", null),
        (Gpt2, "unscaled", """{"scale_attn_weights": false}""", null),
        (Gpt2, "scaled by layer", """{"scale_attn_by_inverse_layer_idx": true}""", null),
        (Gpt2, "head of its own", """{"tie_word_embeddings": false}""", tiny => tiny.Fill("lm_head.weight", TinyShapes.Vocabulary, 16)),
        (Gpt2, "without prefix, masks saved", "{}", tiny =>
        {
            tiny.ReplacePrefix("transformer.", "");
            tiny.Tensors["h.0.attn.bias"] = (SafeTensors.DType.U8, [1, 1, TinyShapes.Context, TinyShapes.Context], new byte[TinyShapes.Context * TinyShapes.Context]);
            tiny.Set("h.0.attn.masked_bias", [], [-1e4f]);
        }),
        (GptNeo, "without prefix, masks saved", "{}", tiny =>
        {
            tiny.ReplacePrefix("transformer.", "");
            tiny.Tensors["h.1.attn.attention.bias"] = (SafeTensors.DType.Bool, [1, 1, TinyShapes.Context, TinyShapes.Context], new byte[TinyShapes.Context * TinyShapes.Context]);
            tiny.Set("h.1.attn.attention.masked_bias", [], [-1e9f]);
        }),
        (GptNeoX, "sequential, tied", """{"use_parallel_residual": false, "tie_word_embeddings": true}""", null),
        (GptNeoX, "whole rotary, linear", """{"rotary_pct": 1.0, "rope_scaling": {"type": "linear", "factor": 2.0}}""", null),
        (GptNeoX, "rope dynamic", """{"rotary_pct": 1.0, "max_position_embeddings": 32, "rope_scaling": {"type": "dynamic", "factor": 4.0}}""", null),
        (GptNeoX, "without attention biases", """{"attention_bias": false}""", tiny => RemoveBiases(tiny, "attention.query_key_value.", "attention.dense.")),
        (GptNeoX, "buffers saved", "{}", tiny =>
        {
            tiny.Fill("gpt_neox.layers.0.attention.rotary_emb.inv_freq", 2);
            tiny.Tensors["gpt_neox.layers.0.attention.bias"] = (SafeTensors.DType.Bool, [1, 1, TinyShapes.Context, TinyShapes.Context], new byte[TinyShapes.Context * TinyShapes.Context]);
            tiny.Set("gpt_neox.layers.0.attention.masked_bias", [], [-1e9f]);
        }),
        (Opt, "norms after, narrow embeddings", """{"do_layer_norm_before": false, "word_embed_proj_dim": 8}""", tiny =>
        {
            tiny.Fill("model.decoder.embed_tokens.weight", TinyShapes.Vocabulary, 8);
            tiny.Fill("model.decoder.project_in.weight", 16, 8);
            tiny.Fill("model.decoder.project_out.weight", 8, 16);
            RemoveFinalNorm(tiny);
        }),
        (Opt, "without biases or final norm", """{"enable_bias": false, "_remove_final_layer_norm": true}""", tiny =>
        {
            RemoveBiases(tiny, "_proj.", "fc1.", "fc2.");
            RemoveFinalNorm(tiny);
        }),
        (Opt, "without prefix", "{}", tiny => tiny.ReplacePrefix("model.", "")),
    ];

    public static TheoryData<string, string> All() => [.. s_variants.Select(variant => new TheoryDataRow<string, string>(variant.Architecture, variant.Name))];

    public static TinyCheckpoint Make(string architecture, string name)
    {
        (_, _, string patch, Action<TinyCheckpoint>? change) = s_variants.Single(variant => variant.Architecture == architecture && variant.Name == name);
        TinyCheckpoint tiny = new(architecture);
        foreach ((string field, JsonNode? value) in JsonNode.Parse(patch)!.AsObject()) tiny.Config[field] = value?.DeepClone();
        change?.Invoke(tiny);
        return tiny;
    }

    private static void AddBiases(TinyCheckpoint tiny, params string[] parts)
    {
        foreach (string name in tiny.Tensors.Keys.Where(name => parts.Any(part => name.Contains(part, StringComparison.Ordinal))).ToArray())
            tiny.Fill(name.Replace(".weight", ".bias", StringComparison.Ordinal), tiny.Tensors[name].Shape[0]);
    }

    private static void RemoveBiases(TinyCheckpoint tiny, params string[] parts)
    {
        foreach (string name in tiny.Tensors.Keys.Where(name => parts.Any(part => name.EndsWith(part + "bias", StringComparison.Ordinal))).ToArray()) tiny.Tensors.Remove(name);
    }

    private static void RemoveFinalNorm(TinyCheckpoint tiny)
    {
        tiny.Tensors.Remove("model.decoder.final_layer_norm.weight");
        tiny.Tensors.Remove("model.decoder.final_layer_norm.bias");
    }
}
