namespace TinyLlm.Engine.Tests;

/// <summary>OPT, with norms before or after, and embeddings of another width.</summary>
internal static class NaiveOpt
{
    private const double Epsilon = 1e-5; // torch's default: no field of the configuration says it

    public static double[][] Logits(NaiveConfig config, NaiveWeights weights, int[] ids)
    {
        int hidden = config.Int("hidden_size"), size = hidden / config.Int("num_attention_heads");
        bool isBefore = config.Flag("do_layer_norm_before", true), isNarrow = config.Int("word_embed_proj_dim", hidden) != hidden;
        double[][] x = [.. ids.Select((id, t) =>
        {
            double[] embedding = weights.Row("model.decoder.embed_tokens.weight", id);
            return NaiveMath.Sum(isNarrow ? weights.Times("model.decoder.project_in", embedding) : embedding, weights.Row("model.decoder.embed_positions.weight", t + 2));
        })];
        for (int layer = 0; layer < config.Int("num_hidden_layers"); layer++)
        {
            string prefix = $"model.decoder.layers.{layer}.", attention = prefix + "self_attn.";
            double[][] seen = isBefore ? [.. x.Select(row => weights.LayerNorm(prefix + "self_attn_layer_norm", row, Epsilon))] : x;
            double[][][] Project(string name) => [.. seen.Select(row => NaiveMath.Heads(weights.Linear(attention + name, row), size))];
            double[][] mixed = NaiveMath.Attend(Project("q_proj"), Project("k_proj"), Project("v_proj"), 1 / Math.Sqrt(size));
            x = [.. x.Select((row, t) => NaiveMath.Sum(row, weights.Linear(attention + "out_proj", mixed[t])))];
            if (!isBefore) x = [.. x.Select(row => weights.LayerNorm(prefix + "self_attn_layer_norm", row, Epsilon))];
            x = [.. x.Select(row =>
            {
                double[] inner = weights.Linear(prefix + "fc1", isBefore ? weights.LayerNorm(prefix + "final_layer_norm", row, Epsilon) : row);
                return NaiveMath.Sum(row, weights.Linear(prefix + "fc2", NaiveMath.Activate(config.Text("activation_function", "relu"), inner)));
            })];
            if (!isBefore) x = [.. x.Select(row => weights.LayerNorm(prefix + "final_layer_norm", row, Epsilon))];
        }
        if (isBefore && !config.Flag("_remove_final_layer_norm", false)) x = [.. x.Select(row => weights.LayerNorm("model.decoder.final_layer_norm", row, Epsilon))];
        if (isNarrow) x = [.. x.Select(row => weights.Times("model.decoder.project_out", row))];
        return [.. x.Select(row => weights.Times(config.Flag("tie_word_embeddings", true) ? "model.decoder.embed_tokens" : "lm_head", row))];
    }
}
