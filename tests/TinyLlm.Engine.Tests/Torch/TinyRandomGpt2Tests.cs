using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>GPT-2 against what ONNX Runtime's own tests expect of the same weights.</summary>
[Collection(TorchTests.Name)]
public sealed class TinyRandomGpt2Tests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-3;
    private const int LogitStep = 200;

    [Fact]
    public void Forward_ReferencePrompts_GreedyIdsAndLogits()
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestData.Require("models/tiny-random-gpt2"));
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("models/tiny-random-gpt2/reference_outputs.json")));
        int vocabulary = checkpoint.Config.VocabularySize, cases = 0;
        double largest = 0;
        foreach (JsonElement element in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            int[] prompt = [.. element.GetProperty("prompt_ids").EnumerateArray().Select(id => id.GetInt32())];
            int[] expected = [.. element.GetProperty("greedy_ids").EnumerateArray().Select(id => id.GetInt32())];
            double[] sampled = [.. element.GetProperty("logits_every_200th_vocab_id_per_prompt_position").EnumerateArray().Select(logit => logit.GetDouble())];
            using IKeyValueCache cache = decoder.CreateCache(expected.Length);

            // 1. The prompt's own logits, every 200th id at every position.
            float[] logits = new float[prompt.Length * vocabulary];
            decoder.Forward([new DecoderInput(cache, prompt, LogitRows.All)], logits);
            Assert.Equal(prompt.Length * vocabulary / LogitStep, sampled.Length);
            for (int i = 0; i < sampled.Length; i++) largest = Math.Max(largest, Math.Abs(sampled[i] - logits[i * LogitStep]));

            // 2. What follows.
            List<int> ids = [.. prompt];
            float[] last = logits[^vocabulary..];
            while (true)
            {
                ids.Add(Array.IndexOf(last, last.Max()));
                if (ids.Count == expected.Length) break;
                decoder.Forward([new DecoderInput(cache, new[] { ids[^1] })], last);
            }
            Assert.Equal(expected, ids);
            cases++;
        }
        output.WriteLine($"largest difference {largest:e2}, tolerance {Tolerance:e2}");
        Assert.InRange(largest, 0, Tolerance);
        Assert.Equal(2, cases);
    }
}
