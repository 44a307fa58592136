using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>
/// The same tokens however they are computed: with the cache, without it, in a batch of 16 of different lengths, and with prompts in chunks of
/// 1, 7 and 64. libtorch's F32 depends on the shape of a batch, so the rule is: the same wherever the two best logits lie further apart than ten
/// times the noise measured; the exceptions are counted and printed. The noise itself is bounded, or a mistake could hide in it.
/// </summary>
[Collection(TorchTests.Name)]
public sealed class GreedyExactnessTests(ITestOutputHelper output)
{
    private const int NewTokens = 20;
    private const double MaxNoise = 1e-4; // of the largest logit, as design's tolerance for F32

    private static readonly int[] s_lengths = [1, 2, 3, 5, 7, 8, 13, 21, 34, 40, 55, 63, 64, 65, 70, 100];

    private readonly List<Tally> _tallies = [];

    public static TheoryData<string, string> Variants { get; } =
    [
        .. TinyShapes.Architectures.Select(architecture => new TheoryDataRow<string, string>(architecture, ArchitectureVariants.Plain)),
        new("MistralForCausalLM", "window"), new("Qwen2ForCausalLM", "window from layer 1"), new("LlamaForCausalLM", "rope dynamic"),
        new("LlamaForCausalLM", "rope yarn"), new("LlamaForCausalLM", "wide, biases"), new("Gemma3ForCausalLM", "caps"), new("GPTNeoXForCausalLM", "sequential, tied"),
        new("OPTForCausalLM", "norms after, narrow embeddings"),
    ];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Forward_Greedy_IsTheSameEveryWay(string architecture, string variant)
    {
        using TinyCheckpoint tiny = ArchitectureVariants.Make(architecture, variant);
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        Random random = new(7);
        int[][] prompts = [.. s_lengths.Select(length => Enumerable.Range(0, length).Select(_ => random.Next(TinyShapes.Vocabulary)).ToArray())];

        // 1. What each sequence says alone, prefilled whole, with its cache: tokens, and the logits of each step.
        Path[] references = [.. prompts.Select(prompt => Alone(decoder, prompt))];

        // 2. The other ways, led along the same tokens.
        Check("no cache", references, path => Uncached(decoder, path));
        foreach (int chunk in (ReadOnlySpan<int>)[1, 7, 64]) Check($"chunks of {chunk}", references, path => Chunked(decoder, path, chunk));
        float[][][] together = Together(decoder, references);
        Check("batch of 16", references, path => together[Array.IndexOf(references, path)]);

        // 3. The rule.
        double noise = _tallies.Max(tally => tally.Noise);
        int exceptions = 0;
        foreach (Tally tally in _tallies)
        {
            output.WriteLine($"{tally.Way}: noise {tally.Noise:e2}, {tally.Differing.Count} of {references.Length * NewTokens} tokens differ");
            Assert.All(tally.Differing, margin => Assert.InRange(margin, 0, 10 * noise));
            exceptions += tally.Differing.Count;
        }
        output.WriteLine($"exceptions: {exceptions}; margins up to {10 * noise:e2} may differ");
        Assert.InRange(noise / references.Max(path => path.Logits.Max(logits => logits.Max(Math.Abs))), 0, MaxNoise);
    }

    private void Check(string way, Path[] references, Func<Path, float[][]> run)
    {
        Tally tally = new(way);
        foreach (Path path in references)
        {
            float[][] logits = run(path);
            Assert.Equal(NewTokens, logits.Length);
            for (int i = 0; i < NewTokens; i++)
            {
                tally.Noise = Math.Max(tally.Noise, path.Logits[i].Zip(logits[i], (a, b) => (double)Math.Abs(a - b)).Max());
                if (Best(logits[i]) != Best(path.Logits[i])) tally.Differing.Add(Margin(path.Logits[i]));
            }
        }
        _tallies.Add(tally);
    }

    private static Path Alone(IDecoder decoder, int[] prompt)
    {
        using IKeyValueCache cache = decoder.CreateCache(prompt.Length + NewTokens);
        List<int> ids = [.. prompt];
        List<float[]> logits = [];
        for (int i = 0; i < NewTokens; i++)
        {
            float[] step = new float[TinyShapes.Vocabulary];
            decoder.Forward([new DecoderInput(cache, ids[cache.Length..].ToArray())], step);
            logits.Add(step);
            ids.Add(Best(step));
        }
        return new Path([.. ids], prompt.Length, [.. logits]);
    }

    private static float[][] Uncached(IDecoder decoder, Path path)
    {
        float[][] logits = new float[NewTokens][];
        for (int i = 0; i < NewTokens; i++)
        {
            using IKeyValueCache cache = decoder.CreateCache(path.PromptLength + i);
            decoder.Forward([new DecoderInput(cache, path.Ids.AsMemory(0, path.PromptLength + i))], logits[i] = new float[TinyShapes.Vocabulary]);
        }
        return logits;
    }

    private static float[][] Chunked(IDecoder decoder, Path path, int chunk)
    {
        using IKeyValueCache cache = decoder.CreateCache(path.Ids.Length);
        float[][] logits = new float[NewTokens][];
        for (int i = 0; i < NewTokens; i++)
        {
            logits[i] = new float[TinyShapes.Vocabulary];
            while (cache.Length < path.PromptLength + i)
                decoder.Forward([new DecoderInput(cache, path.Ids.AsMemory(cache.Length, Math.Min(chunk, path.PromptLength + i - cache.Length)))], logits[i]);
        }
        return logits;
    }

    private static float[][][] Together(IDecoder decoder, Path[] paths)
    {
        IKeyValueCache[] caches = [.. paths.Select(path => decoder.CreateCache(path.Ids.Length))];
        float[][][] logits = [.. paths.Select(_ => new float[NewTokens][])];
        float[] all = new float[paths.Length * TinyShapes.Vocabulary];
        for (int i = 0; i < NewTokens; i++)
        {
            decoder.Forward([.. paths.Select((path, k) => new DecoderInput(caches[k], path.Ids.AsMemory(caches[k].Length, path.PromptLength + i - caches[k].Length)))], all);
            for (int k = 0; k < paths.Length; k++) logits[k][i] = all[(k * TinyShapes.Vocabulary)..((k + 1) * TinyShapes.Vocabulary)];
        }
        foreach (IKeyValueCache cache in caches) cache.Dispose();
        return logits;
    }

    private static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());

    private static double Margin(float[] logits)
    {
        float[] sorted = [.. logits.OrderDescending()];
        return sorted[0] - sorted[1];
    }

    /// <summary>A sequence, prompt and what followed, and the logits that led to each new token.</summary>
    private sealed record Path(int[] Ids, int PromptLength, float[][] Logits);

    /// <summary>One way of computing: the largest difference of a logit, and the margins where the token differs.</summary>
    private sealed record Tally(string Way)
    {
        public double Noise { get; set; }

        public List<double> Differing { get; } = [];
    }
}
