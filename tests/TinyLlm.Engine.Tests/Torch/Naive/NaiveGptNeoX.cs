namespace TinyLlm.Engine.Tests;

/// <summary>GPT-NeoX (Pythia): each head's query, key and value lie together, a part of the head turns, attention and MLP may be parallel.</summary>
internal static class NaiveGptNeoX
{
    public static double[][] Logits(NaiveConfig config, NaiveWeights weights, int[] ids)
    {
        int heads = config.Int("num_attention_heads"), size = config.Int("hidden_size") / heads, positions = config.Int("max_position_embeddings");
        double epsilon = config.Number("layer_norm_eps", 1e-5);
        NaiveRope rope = new(config.Object("rope_scaling"), config.Number("rotary_emb_base", 10000), (int)(size * config.Number("rotary_pct", 0.25)), positions, positions);
        double[][] x = [.. ids.Select(id => weights.Row("gpt_neox.embed_in.weight", id))];
        for (int layer = 0; layer < config.Int("num_hidden_layers"); layer++)
        {
            string prefix = $"gpt_neox.layers.{layer}.";
            double[][][] triples = [.. x.Select(row => NaiveMath.Heads(
                weights.Linear(prefix + "attention.query_key_value", weights.LayerNorm(prefix + "input_layernorm", row, epsilon)), 3 * size))];
            double[][][] Part(int part) => [.. triples.Select(row => row.Select(head => head[(part * size)..((part + 1) * size)]).ToArray())];
            double[][][] Turned(int part) => [.. Part(part).Select((row, t) => row.Select(head => rope.Turn(head, t)).ToArray())];
            double[][] mixed = NaiveMath.Attend(Turned(0), Turned(1), Part(2), 1 / Math.Sqrt(size));
            double[][] attended = [.. x.Select((row, t) => NaiveMath.Sum(row, weights.Linear(prefix + "attention.dense", mixed[t])))];
            double[][] seen = config.Flag("use_parallel_residual", true) ? x : attended;
            x = [.. attended.Select((row, t) => NaiveMath.Sum(row, weights.Linear(
                prefix + "mlp.dense_4h_to_h",
                NaiveMath.Activate(
                    config.Text("hidden_act", "gelu"), weights.Linear(prefix + "mlp.dense_h_to_4h", weights.LayerNorm(prefix + "post_attention_layernorm", seen[t], epsilon))))))];
        }
        string output = config.Flag("tie_word_embeddings", false) ? "gpt_neox.embed_in" : "embed_out";
        return [.. x.Select(row => weights.Times(output, weights.LayerNorm("gpt_neox.final_layer_norm", row, epsilon)))];
    }
}
