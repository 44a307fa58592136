namespace TinyLlm.Engine.Tests;

/// <summary>GPT-Neo: unscaled scores, and layers that see a window.</summary>
internal static class NaiveGptNeo
{
    public static double[][] Logits(NaiveConfig config, NaiveWeights weights, int[] ids)
    {
        int size = config.Int("hidden_size") / config.Int("num_heads");
        double epsilon = config.Number("layer_norm_epsilon", 1e-5);
        string[] kinds = [.. config.Raw("attention_types").EnumerateArray()
            .SelectMany(run => Enumerable.Repeat(run[0].EnumerateArray().Select(kind => kind.GetString()!).ToArray(), run[1].GetInt32()).SelectMany(names => names))];
        double[][] x = [.. ids.Select((id, t) => NaiveMath.Sum(weights.Row("transformer.wte.weight", id), weights.Row("transformer.wpe.weight", t)))];
        for (int layer = 0; layer < config.Int("num_layers"); layer++)
        {
            string prefix = $"transformer.h.{layer}.", attention = prefix + "attn.attention.";
            double[][] normed = [.. x.Select(row => weights.LayerNorm(prefix + "ln_1", row, epsilon))];
            double[][][] Project(string name) => [.. normed.Select(row => NaiveMath.Heads(weights.Linear(attention + name, row), size))];
            int window = kinds[layer] == "local" ? config.Int("window_size", 256) : int.MaxValue;
            double[][] mixed = NaiveMath.Attend(Project("q_proj"), Project("k_proj"), Project("v_proj"), 1, window);
            x = [.. x.Select((row, t) => NaiveMath.Sum(row, weights.Linear(attention + "out_proj", mixed[t])))];
            x = [.. x.Select(row => NaiveMath.Sum(row, weights.Linear(
                prefix + "mlp.c_proj",
                NaiveMath.Activate(config.Text("activation_function", "gelu_new"), weights.Linear(prefix + "mlp.c_fc", weights.LayerNorm(prefix + "ln_2", row, epsilon))))))];
        }
        string output = config.Flag("tie_word_embeddings", true) ? "transformer.wte" : "lm_head";
        return [.. x.Select(row => weights.Times(output, weights.LayerNorm("transformer.ln_f", row, epsilon)))];
    }
}
