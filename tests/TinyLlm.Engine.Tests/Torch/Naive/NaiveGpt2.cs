namespace TinyLlm.Engine.Tests;

/// <summary>GPT-2.</summary>
internal static class NaiveGpt2
{
    public static double[][] Logits(NaiveConfig config, NaiveWeights weights, int[] ids)
    {
        int hidden = config.Int("n_embd"), size = hidden / config.Int("n_head");
        double epsilon = config.Number("layer_norm_epsilon", 1e-5);
        double[][] x = [.. ids.Select((id, t) => NaiveMath.Sum(weights.Row("transformer.wte.weight", id), weights.Row("transformer.wpe.weight", t)))];
        for (int layer = 0; layer < config.Int("n_layer"); layer++)
        {
            string prefix = $"transformer.h.{layer}.";
            double[][] all = [.. x.Select(row => weights.Conv(prefix + "attn.c_attn", weights.LayerNorm(prefix + "ln_1", row, epsilon)))];
            double[][][] Third(int third) => [.. all.Select(row => NaiveMath.Heads(row[(third * hidden)..((third + 1) * hidden)], size))];
            double scale = config.Flag("scale_attn_weights", true) ? 1 / Math.Sqrt(size) : 1;
            if (config.Flag("scale_attn_by_inverse_layer_idx", false)) scale /= layer + 1;
            double[][] mixed = NaiveMath.Attend(Third(0), Third(1), Third(2), scale);
            x = [.. x.Select((row, t) => NaiveMath.Sum(row, weights.Conv(prefix + "attn.c_proj", mixed[t])))];
            x = [.. x.Select(row => NaiveMath.Sum(row, weights.Conv(
                prefix + "mlp.c_proj",
                NaiveMath.Activate(config.Text("activation_function", "gelu_new"), weights.Conv(prefix + "mlp.c_fc", weights.LayerNorm(prefix + "ln_2", row, epsilon))))))];
        }
        string output = config.Flag("tie_word_embeddings", true) ? "transformer.wte" : "lm_head";
        return [.. x.Select(row => weights.Times(output, weights.LayerNorm("transformer.ln_f", row, epsilon)))];
    }
}
