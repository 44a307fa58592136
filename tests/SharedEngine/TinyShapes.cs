using System.Text.Json.Nodes;

namespace TinyLlm.Tests;

/// <summary>
/// The smallest configuration of each architecture and the tensors that its checkpoints have, written down from Hugging Face transformers and
/// not from the engine.
/// </summary>
internal sealed class TinyShapes
{
    public const int Vocabulary = 48, Context = 128;

    private const int Hidden = 16, Inner = 24, Layers = 2;

    private readonly List<(string Name, long[] Shape)> _tensors = [];

    private TinyShapes(string architecture, JsonObject config)
    {
        config["architectures"] = new JsonArray(architecture);
        config["vocab_size"] = Vocabulary;
        config["eos_token_id"] = 2;
        Config = config;
    }

    public static IReadOnlyList<string> Architectures { get; } =
    [
        "LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM", "Phi3ForCausalLM", "Gemma3ForCausalLM",
        "GPT2LMHeadModel", "GPTNeoForCausalLM", "GPTNeoXForCausalLM", "OPTForCausalLM", "TinyLlmNGramForCausalLM", "TinyLlmBigramForCausalLM",
    ];

    public JsonObject Config { get; }

    public IReadOnlyList<(string Name, long[] Shape)> Tensors => _tensors;

    public static TinyShapes Of(string architecture) => architecture switch
    {
        "GPT2LMHeadModel" => Gpt2(architecture),
        "GPTNeoForCausalLM" => GptNeo(architecture),
        "GPTNeoXForCausalLM" => GptNeoX(architecture),
        "OPTForCausalLM" => Opt(architecture),
        "TinyLlmNGramForCausalLM" => NGram(architecture),
        "TinyLlmBigramForCausalLM" => Bigram(architecture),
        _ => Llama(architecture),
    };

    private static TinyShapes Llama(string architecture)
    {
        const int heads = 4, keyHeads = 2, size = 4;
        bool isGemma = architecture == "Gemma3ForCausalLM", isPhi = architecture == "Phi3ForCausalLM";
        TinyShapes shapes = new(architecture, new JsonObject
        {
            ["hidden_size"] = Hidden,
            ["intermediate_size"] = Inner,
            ["num_hidden_layers"] = isGemma ? 3 : Layers,
            ["num_attention_heads"] = heads,
            ["num_key_value_heads"] = keyHeads,
            ["head_dim"] = size,
            ["max_position_embeddings"] = Context,
            ["rms_norm_eps"] = 1e-5,
            ["rope_theta"] = 10000.0,
            ["sliding_window"] = isGemma ? 8 : null,
            ["tie_word_embeddings"] = false,
        });
        if (isGemma)
        {
            shapes.Config["sliding_window_pattern"] = 2;
            shapes.Config["rope_theta"] = 1e6;
            shapes.Config["rope_local_base_freq"] = 10000.0;
            shapes.Config["query_pre_attn_scalar"] = 6;
        }
        shapes.Add("model.embed_tokens.weight", Vocabulary, Hidden);
        for (int layer = 0; layer < (isGemma ? 3 : Layers); layer++)
        {
            string prefix = $"model.layers.{layer}.";
            shapes.Add(prefix + "input_layernorm.weight", Hidden);
            shapes.Add(prefix + "post_attention_layernorm.weight", Hidden);
            if (isPhi)
            {
                shapes.Add(prefix + "self_attn.qkv_proj.weight", (heads + 2 * keyHeads) * size, Hidden);
                shapes.Add(prefix + "mlp.gate_up_proj.weight", 2 * Inner, Hidden);
            }
            else
            {
                shapes.Add(prefix + "self_attn.q_proj.weight", heads * size, Hidden);
                shapes.Add(prefix + "self_attn.k_proj.weight", keyHeads * size, Hidden);
                shapes.Add(prefix + "self_attn.v_proj.weight", keyHeads * size, Hidden);
                shapes.Add(prefix + "mlp.gate_proj.weight", Inner, Hidden);
                shapes.Add(prefix + "mlp.up_proj.weight", Inner, Hidden);
            }
            shapes.Add(prefix + "self_attn.o_proj.weight", Hidden, heads * size);
            shapes.Add(prefix + "mlp.down_proj.weight", Hidden, Inner);
            if (architecture == "Qwen2ForCausalLM")
            {
                shapes.Add(prefix + "self_attn.q_proj.bias", heads * size);
                shapes.Add(prefix + "self_attn.k_proj.bias", keyHeads * size);
                shapes.Add(prefix + "self_attn.v_proj.bias", keyHeads * size);
            }
            if (isGemma || architecture == "Qwen3ForCausalLM")
            {
                shapes.Add(prefix + "self_attn.q_norm.weight", size);
                shapes.Add(prefix + "self_attn.k_norm.weight", size);
            }
            if (!isGemma) continue;
            shapes.Add(prefix + "pre_feedforward_layernorm.weight", Hidden);
            shapes.Add(prefix + "post_feedforward_layernorm.weight", Hidden);
        }
        shapes.Add("model.norm.weight", Hidden);
        shapes.Add("lm_head.weight", Vocabulary, Hidden);
        return shapes;
    }

    private static TinyShapes Gpt2(string architecture)
    {
        TinyShapes shapes = new(architecture, new JsonObject
        {
            ["n_embd"] = Hidden,
            ["n_layer"] = Layers,
            ["n_head"] = 4,
            ["n_positions"] = Context,
            ["n_inner"] = Inner,
            ["activation_function"] = "gelu_new",
            ["layer_norm_epsilon"] = 1e-5,
        });
        shapes.Add("transformer.wte.weight", Vocabulary, Hidden);
        shapes.Add("transformer.wpe.weight", Context, Hidden);
        for (int layer = 0; layer < Layers; layer++)
        {
            string prefix = $"transformer.h.{layer}.";
            shapes.AddNorm(prefix + "ln_1", Hidden);
            shapes.AddWithBias(prefix + "attn.c_attn", 3 * Hidden, Hidden, 3 * Hidden);
            shapes.AddWithBias(prefix + "attn.c_proj", Hidden, Hidden, Hidden);
            shapes.AddNorm(prefix + "ln_2", Hidden);
            shapes.AddWithBias(prefix + "mlp.c_fc", Inner, Hidden, Inner);
            shapes.AddWithBias(prefix + "mlp.c_proj", Hidden, Inner, Hidden);
        }
        shapes.AddNorm("transformer.ln_f", Hidden);
        return shapes;
    }

    private static TinyShapes GptNeo(string architecture)
    {
        TinyShapes shapes = new(architecture, new JsonObject
        {
            ["hidden_size"] = Hidden,
            ["num_layers"] = Layers,
            ["num_heads"] = 4,
            ["attention_types"] = new JsonArray(new JsonArray(new JsonArray("global", "local"), 1)),
            ["window_size"] = 8,
            ["intermediate_size"] = Inner,
            ["max_position_embeddings"] = Context,
            ["activation_function"] = "gelu_new",
            ["layer_norm_epsilon"] = 1e-5,
        });
        shapes.Add("transformer.wte.weight", Vocabulary, Hidden);
        shapes.Add("transformer.wpe.weight", Context, Hidden);
        for (int layer = 0; layer < Layers; layer++)
        {
            string prefix = $"transformer.h.{layer}.";
            shapes.AddNorm(prefix + "ln_1", Hidden);
            shapes.Add(prefix + "attn.attention.q_proj.weight", Hidden, Hidden);
            shapes.Add(prefix + "attn.attention.k_proj.weight", Hidden, Hidden);
            shapes.Add(prefix + "attn.attention.v_proj.weight", Hidden, Hidden);
            shapes.AddWithBias(prefix + "attn.attention.out_proj", Hidden, Hidden, Hidden);
            shapes.AddNorm(prefix + "ln_2", Hidden);
            shapes.AddWithBias(prefix + "mlp.c_fc", Inner, Inner, Hidden);
            shapes.AddWithBias(prefix + "mlp.c_proj", Hidden, Hidden, Inner);
        }
        shapes.AddNorm("transformer.ln_f", Hidden);
        return shapes;
    }

    private static TinyShapes GptNeoX(string architecture)
    {
        TinyShapes shapes = new(architecture, new JsonObject
        {
            ["hidden_size"] = Hidden,
            ["intermediate_size"] = Inner,
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = 2,
            ["max_position_embeddings"] = Context,
            ["rotary_pct"] = 0.5,
            ["rotary_emb_base"] = 10000,
            ["hidden_act"] = "gelu",
            ["layer_norm_eps"] = 1e-5,
            ["use_parallel_residual"] = true,
            ["tie_word_embeddings"] = false,
        });
        shapes.Add("gpt_neox.embed_in.weight", Vocabulary, Hidden);
        for (int layer = 0; layer < Layers; layer++)
        {
            string prefix = $"gpt_neox.layers.{layer}.";
            shapes.AddNorm(prefix + "input_layernorm", Hidden);
            shapes.AddNorm(prefix + "post_attention_layernorm", Hidden);
            shapes.AddWithBias(prefix + "attention.query_key_value", 3 * Hidden, 3 * Hidden, Hidden);
            shapes.AddWithBias(prefix + "attention.dense", Hidden, Hidden, Hidden);
            shapes.AddWithBias(prefix + "mlp.dense_h_to_4h", Inner, Inner, Hidden);
            shapes.AddWithBias(prefix + "mlp.dense_4h_to_h", Hidden, Hidden, Inner);
        }
        shapes.AddNorm("gpt_neox.final_layer_norm", Hidden);
        shapes.Add("embed_out.weight", Vocabulary, Hidden);
        return shapes;
    }

    private static TinyShapes Opt(string architecture)
    {
        TinyShapes shapes = new(architecture, new JsonObject
        {
            ["hidden_size"] = Hidden,
            ["ffn_dim"] = Inner,
            ["num_hidden_layers"] = Layers,
            ["num_attention_heads"] = 4,
            ["max_position_embeddings"] = Context,
            ["word_embed_proj_dim"] = Hidden,
            ["activation_function"] = "relu",
            ["do_layer_norm_before"] = true,
        });
        shapes.Add("model.decoder.embed_tokens.weight", Vocabulary, Hidden);
        shapes.Add("model.decoder.embed_positions.weight", Context + 2, Hidden);
        for (int layer = 0; layer < Layers; layer++)
        {
            string prefix = $"model.decoder.layers.{layer}.";
            shapes.AddWithBias(prefix + "self_attn.k_proj", Hidden, Hidden, Hidden);
            shapes.AddWithBias(prefix + "self_attn.v_proj", Hidden, Hidden, Hidden);
            shapes.AddWithBias(prefix + "self_attn.q_proj", Hidden, Hidden, Hidden);
            shapes.AddWithBias(prefix + "self_attn.out_proj", Hidden, Hidden, Hidden);
            shapes.AddNorm(prefix + "self_attn_layer_norm", Hidden);
            shapes.AddWithBias(prefix + "fc1", Inner, Inner, Hidden);
            shapes.AddWithBias(prefix + "fc2", Hidden, Hidden, Inner);
            shapes.AddNorm(prefix + "final_layer_norm", Hidden);
        }
        shapes.AddNorm("model.decoder.final_layer_norm", Hidden);
        return shapes;
    }

    private static TinyShapes NGram(string architecture)
    {
        TinyShapes shapes = new(architecture, new JsonObject { ["max_position_embeddings"] = Context });
        shapes.Add("transitions.weight", Vocabulary, Vocabulary);
        return shapes;
    }

    private static TinyShapes Bigram(string architecture)
    {
        TinyShapes shapes = new(architecture, new JsonObject { ["max_position_embeddings"] = Context, ["hidden_size"] = Hidden });
        shapes.Add("embeddings.weight", Vocabulary, Hidden);
        shapes.Add("output.bias", Vocabulary);
        return shapes;
    }

    private void Add(string name, params long[] shape) => _tensors.Add((name, shape));

    private void AddNorm(string name, long size)
    {
        Add(name + ".weight", size);
        Add(name + ".bias", size);
    }

    private void AddWithBias(string name, long bias, params long[] shape)
    {
        Add(name + ".weight", shape);
        Add(name + ".bias", bias);
    }
}
