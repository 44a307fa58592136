namespace TinyLlm.Engine.Tests;

/// <summary>Llama, Mistral, Qwen 2, Qwen 3 and Phi 3.</summary>
internal static class NaiveLlama
{
    public static double[][] Logits(string architecture, NaiveConfig config, NaiveWeights weights, int[] ids)
    {
        int hidden = config.Int("hidden_size"), heads = config.Int("num_attention_heads"), size = config.Int("head_dim", hidden / heads);
        double epsilon = config.Number("rms_norm_eps", 1e-6);
        NaiveConfig? parameters = config.Object("rope_parameters") ?? config.Object("rope_scaling");
        double theta = parameters?.Number("rope_theta") is > 0 and double own ? own : config.Number("rope_theta", 10000);
        NaiveRope rope = new(
            parameters, theta, (int)(size * config.Number("partial_rotary_factor", 1)), config.Int("max_position_embeddings"), config.Int("original_max_position_embeddings", 4096));
        double[][] x = [.. ids.Select(id => weights.Row("model.embed_tokens.weight", id))];
        for (int layer = 0; layer < config.Int("num_hidden_layers"); layer++)
        {
            string prefix = $"model.layers.{layer}.", attention = prefix + "self_attn.";
            double[][] normed = [.. x.Select(row => weights.RmsNorm(prefix + "input_layernorm", row, epsilon))];
            (double[][][] queries, double[][][] keys, double[][][] values) = weights.Has(attention + "qkv_proj.weight")
                ? Split([.. normed.Select(row => NaiveMath.Heads(weights.Linear(attention + "qkv_proj", row), size))], heads)
                : (Project("q_proj"), Project("k_proj"), Project("v_proj"));
            queries = Turned(queries, "q_norm");
            keys = Turned(keys, "k_norm");
            double[][] mixed = NaiveMath.Attend(queries, keys, values, 1 / Math.Sqrt(size), Window(architecture, config, layer));
            x = [.. x.Select((row, t) => NaiveMath.Sum(row, weights.Linear(attention + "o_proj", mixed[t])))];
            x = [.. x.Select(row => NaiveMath.Sum(row, Mlp(config, weights, prefix + "mlp.", weights.RmsNorm(prefix + "post_attention_layernorm", row, epsilon))))];

            double[][][] Project(string name) => [.. normed.Select(row => NaiveMath.Heads(weights.Linear(attention + name, row), size))];
            double[][][] Turned(double[][][] all, string norm) => [.. all.Select((row, t) => row.Select(head => rope.Turn(
                weights.Has(attention + norm + ".weight") ? weights.RmsNorm(attention + norm, head, epsilon) : head, t)).ToArray())];
        }
        string output = config.Flag("tie_word_embeddings", false) ? "model.embed_tokens" : "lm_head";
        return [.. x.Select(row => weights.Times(output, weights.RmsNorm("model.norm", row, epsilon)))];
    }

    private static (double[][][], double[][][], double[][][]) Split(double[][][] all, int heads)
    {
        int keys = (all[0].Length - heads) / 2;
        return ([.. all.Select(row => row[..heads])], [.. all.Select(row => row[heads..(heads + keys)])], [.. all.Select(row => row[(heads + keys)..])]);
    }

    private static double[] Mlp(NaiveConfig config, NaiveWeights weights, string prefix, double[] x)
    {
        double[] gate, up;
        if (weights.Has(prefix + "gate_up_proj.weight"))
        {
            double[] both = weights.Linear(prefix + "gate_up_proj", x);
            (gate, up) = (both[..(both.Length / 2)], both[(both.Length / 2)..]);
        }
        else
        {
            (gate, up) = (weights.Linear(prefix + "gate_proj", x), weights.Linear(prefix + "up_proj", x));
        }
        gate = NaiveMath.Activate(config.Text("hidden_act", "silu"), gate);
        return weights.Linear(prefix + "down_proj", [.. gate.Zip(up, (a, b) => a * b)]);
    }

    private static int Window(string architecture, NaiveConfig config, int layer)
    {
        int window = config.Int("sliding_window", int.MaxValue);
        if (architecture is "MistralForCausalLM" or "Phi3ForCausalLM") return window;
        if (!architecture.StartsWith("Qwen", StringComparison.Ordinal) || !config.Flag("use_sliding_window", false)) return int.MaxValue;
        string[] types = config.Texts("layer_types");
        bool isSliding = types.Length > 0 ? types[layer] == "sliding_attention" : layer >= config.Int("max_window_layers", 28);
        return isSliding ? window : int.MaxValue;
    }
}
