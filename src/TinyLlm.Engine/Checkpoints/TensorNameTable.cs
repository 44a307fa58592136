using System.Collections.Frozen;
using static TinyLlm.Engine.DecoderPart;

namespace TinyLlm.Engine;

/// <summary>The names of every architecture's tensors, as Hugging Face transformers saves them.</summary>
internal static class TensorNameTable
{
    private static readonly TensorNames s_llama = new()
    {
        Prefix = "model.",
        Parts = Parts(
            (Embedding, "embed_tokens"), (FinalNorm, "norm"), (Output, "lm_head"),
            (AttentionNorm, "input_layernorm"), (Query, "self_attn.q_proj"), (Key, "self_attn.k_proj"), (Value, "self_attn.v_proj"),
            (AttentionOutput, "self_attn.o_proj"), (QueryNorm, "self_attn.q_norm"), (KeyNorm, "self_attn.k_norm"),
            (MlpNorm, "post_attention_layernorm"), (Gate, "mlp.gate_proj"), (Up, "mlp.up_proj"), (Down, "mlp.down_proj")),
        FrequencyBuffer = "self_attn.rotary_emb.inv_freq",
    };

    private static readonly FrozenDictionary<string, TensorNames> s_table = new Dictionary<string, TensorNames>(StringComparer.Ordinal)
    {
        ["LlamaForCausalLM"] = s_llama,
        ["MistralForCausalLM"] = s_llama,
        ["Qwen2ForCausalLM"] = s_llama,
        ["Qwen3ForCausalLM"] = s_llama,
        ["Gemma3ForCausalLM"] = s_llama with
        {
            Parts = With(
                s_llama, (AttentionSumNorm, "post_attention_layernorm"), (MlpNorm, "pre_feedforward_layernorm"), (MlpSumNorm, "post_feedforward_layernorm")),
        },
        ["Phi3ForCausalLM"] = s_llama with
        {
            Parts = With(s_llama, (QueryKeyValue, "self_attn.qkv_proj"), (GateUp, "mlp.gate_up_proj")),
            QueryKeyValue = QueryKeyValueLayout.Stacked,
            HasGateAboveUp = true,
        },
        ["GPT2LMHeadModel"] = new()
        {
            Prefix = "transformer.",
            LayerPrefix = "h.",
            Parts = Parts(
                (Embedding, "wte"), (Positions, "wpe"), (FinalNorm, "ln_f"), (Output, "lm_head"),
                (AttentionNorm, "ln_1"), (QueryKeyValue, "attn.c_attn"), (AttentionOutput, "attn.c_proj"),
                (MlpNorm, "ln_2"), (Up, "mlp.c_fc"), (Down, "mlp.c_proj")),
            QueryKeyValue = QueryKeyValueLayout.Stacked,
            IsInputFirst = true,
            MaskBuffer = "attn.bias",
            MaskedScoreBuffer = "attn.masked_bias",
        },
        ["GPTNeoForCausalLM"] = new()
        {
            Prefix = "transformer.",
            LayerPrefix = "h.",
            Parts = Parts(
                (Embedding, "wte"), (Positions, "wpe"), (FinalNorm, "ln_f"), (Output, "lm_head"),
                (AttentionNorm, "ln_1"), (Query, "attn.attention.q_proj"), (Key, "attn.attention.k_proj"), (Value, "attn.attention.v_proj"),
                (AttentionOutput, "attn.attention.out_proj"), (MlpNorm, "ln_2"), (Up, "mlp.c_fc"), (Down, "mlp.c_proj")),
            MaskBuffer = "attn.attention.bias",
            MaskedScoreBuffer = "attn.attention.masked_bias",
        },
        ["GPTNeoXForCausalLM"] = new()
        {
            Prefix = "gpt_neox.",
            Parts = Parts(
                (Embedding, "embed_in"), (FinalNorm, "final_layer_norm"), (Output, "embed_out"),
                (AttentionNorm, "input_layernorm"), (QueryKeyValue, "attention.query_key_value"), (AttentionOutput, "attention.dense"),
                (MlpNorm, "post_attention_layernorm"), (Up, "mlp.dense_h_to_4h"), (Down, "mlp.dense_4h_to_h")),
            QueryKeyValue = QueryKeyValueLayout.ByHead,
            FrequencyBuffer = "attention.rotary_emb.inv_freq",
            MaskBuffer = "attention.bias",
            MaskedScoreBuffer = "attention.masked_bias",
        },
        ["OPTForCausalLM"] = new()
        {
            Prefix = "model.",
            LayerPrefix = "decoder.layers.",
            Parts = Parts(
                (Embedding, "decoder.embed_tokens"), (Positions, "decoder.embed_positions"), (EmbeddingIn, "decoder.project_in"), (EmbeddingOut, "decoder.project_out"),
                (FinalNorm, "decoder.final_layer_norm"), (Output, "lm_head"),
                (AttentionNorm, "self_attn_layer_norm"), (Query, "self_attn.q_proj"), (Key, "self_attn.k_proj"), (Value, "self_attn.v_proj"),
                (AttentionOutput, "self_attn.out_proj"), (MlpNorm, "final_layer_norm"), (Up, "fc1"), (Down, "fc2")),
        },
        ["TinyLlmNGramForCausalLM"] = new() { Parts = Parts((Embedding, "transitions")) },
        ["TinyLlmBigramForCausalLM"] = new() { Parts = Parts((Embedding, "embeddings"), (Output, "output")) },
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static TensorNames Of(DecoderConfig config) => s_table[config.Architecture];

    private static FrozenDictionary<DecoderPart, string> Parts(params (DecoderPart Part, string Name)[] parts) =>
        parts.ToFrozenDictionary(part => part.Part, part => part.Name);

    private static FrozenDictionary<DecoderPart, string> With(TensorNames names, params (DecoderPart Part, string Name)[] changes)
    {
        Dictionary<DecoderPart, string> parts = new(names.Parts);
        foreach ((DecoderPart part, string name) in changes) parts[part] = name;
        return parts.ToFrozenDictionary();
    }
}
