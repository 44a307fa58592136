namespace TinyLlm.Engine.Tests;

/// <summary>Gemma 3, text only.</summary>
internal static class NaiveGemma
{
    public static double[][] Logits(NaiveConfig config, NaiveWeights weights, int[] ids)
    {
        int hidden = config.Int("hidden_size"), size = config.Int("head_dim", 256), window = config.Int("sliding_window", 4096);
        double epsilon = config.Number("rms_norm_eps", 1e-6), scale = Math.Pow(config.Number("query_pre_attn_scalar", 256), -0.5);
        NaiveConfig? both = config.Object("rope_parameters"), fullParameters = both?.Object("full_attention"), localParameters = both?.Object("sliding_attention");
        int positions = config.Int("max_position_embeddings");
        NaiveRope full = new(fullParameters ?? config.Object("rope_scaling"), fullParameters?.Number("rope_theta") ?? config.Number("rope_theta", 1e6), size, positions, positions);
        NaiveRope local = new(localParameters, localParameters?.Number("rope_theta") ?? config.Number("rope_local_base_freq", 1e4), size, positions, positions);
        string[] types = config.Texts("layer_types");
        double[][] x = [.. ids.Select(id => NaiveMath.Scale(weights.Row("model.embed_tokens.weight", id), Math.Sqrt(hidden)))];
        for (int layer = 0; layer < config.Int("num_hidden_layers"); layer++)
        {
            string prefix = $"model.layers.{layer}.", attention = prefix + "self_attn.", mlp = prefix + "mlp.";
            bool isLocal = types.Length > 0 ? types[layer] == "sliding_attention" : (layer + 1) % config.Int("sliding_window_pattern", 6) != 0;
            NaiveRope rope = isLocal ? local : full;
            double[][] normed = [.. x.Select(row => Norm(prefix + "input_layernorm", row))];
            double[][] mixed = NaiveMath.Attend(
                Turned("q_proj", "q_norm"), Turned("k_proj", "k_norm"), Project("v_proj"), scale, isLocal ? window : int.MaxValue, config.Number("attn_logit_softcapping"));
            x = [.. x.Select((row, t) => NaiveMath.Sum(row, Norm(prefix + "post_attention_layernorm", weights.Linear(attention + "o_proj", mixed[t]))))];
            x = [.. x.Select(row => NaiveMath.Sum(row, Norm(prefix + "post_feedforward_layernorm", Mlp(Norm(prefix + "pre_feedforward_layernorm", row)))))];

            double[][][] Project(string name) => [.. normed.Select(row => NaiveMath.Heads(weights.Linear(attention + name, row), size))];
            double[][][] Turned(string name, string norm) => [.. Project(name).Select((row, t) => row.Select(head => rope.Turn(Norm(attention + norm, head), t)).ToArray())];
            double[] Mlp(double[] row)
            {
                double[] gate = NaiveMath.Activate(config.Text("hidden_activation", "gelu_pytorch_tanh"), weights.Linear(mlp + "gate_proj", row));
                return weights.Linear(mlp + "down_proj", [.. gate.Zip(weights.Linear(mlp + "up_proj", row), (a, b) => a * b)]);
            }
        }
        string output = config.Flag("tie_word_embeddings", true) ? "model.embed_tokens" : "lm_head";
        return [.. x.Select(row => NaiveMath.Cap(weights.Times(output, Norm("model.norm", row)), config.Number("final_logit_softcapping")))];

        double[] Norm(string name, double[] row) => weights.RmsNorm(name, row, epsilon, from: 1);
    }
}
