using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>The trained model against its C reference: logits, and every greedy id, alone, batched and prefilled in chunks.</summary>
[Collection(TorchTests.Name)]
public sealed class Stories260KTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-4;

    [Fact]
    public void Forward_ReferencePrompts_LogitsWithinTolerance()
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestData.Require("models/stories260K"));
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        float[] logits = new float[checkpoint.Config.VocabularySize];
        double largest = 0;
        foreach (ReferenceCase reference in ReferenceCase.All())
        {
            using IKeyValueCache cache = decoder.CreateCache(reference.PromptIds.Length);
            decoder.Forward([new DecoderInput(cache, reference.PromptIds)], logits);
            foreach ((int id, double logit) in reference.Logits) largest = Math.Max(largest, Math.Abs(logits[id] - logit));
        }
        output.WriteLine($"largest difference {largest:e2}, tolerance {Tolerance:e2}");
        Assert.InRange(largest, 0, Tolerance);
    }

    [Theory]
    [InlineData(512, false)]
    [InlineData(1, false)]
    [InlineData(7, false)]
    [InlineData(512, true)]
    [InlineData(3, true)]
    public async Task Start_Greedy_EqualsReference(int prefillTokens, bool together)
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestData.Require("models/stories260K"));
        TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        await using DeviceLoop loop = new(backend, new DeviceLoopOptions { PrefillTokens = prefillTokens }, TimeProvider.System, NullLogger<DeviceLoop>.Instance);
        ResidentModel model = await loop.LoadAsync(checkpoint, TestContext.Current.CancellationToken);
        List<Task> all = [];
        foreach (ReferenceCase reference in ReferenceCase.All())
        {
            Task one = Check(loop, model, reference);
            if (!together) await one;
            all.Add(one);
        }
        await Task.WhenAll(all);
    }

    private static async Task Check(DeviceLoop loop, ResidentModel model, ReferenceCase reference)
    {
        int count = reference.GreedyIds.Length - reference.PromptIds.Length;
        Generation generation = loop.Start(model, new GenerationRequest
        {
            PromptIds = [.. reference.PromptIds],
            Sampling = new SamplingOptions { Temperature = 0 },
            MaxNewTokens = count,
        });
        List<int> ids = [.. reference.PromptIds];
        await foreach (GeneratedToken token in generation.Tokens.ReadAllAsync(TestContext.Current.CancellationToken)) ids.Add(token.Id);
        Assert.Equal(reference.GreedyIds, ids);
        Assert.Equal(new GenerationEnd(FinishReason.Length, count, null), await generation.Completion);
    }

    private sealed record ReferenceCase(int[] PromptIds, int[] GreedyIds, (int Id, double Logit)[] Logits)
    {
        public static IEnumerable<ReferenceCase> All()
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(TestData.Require("models/stories260K/reference_greedy.json")));
            foreach (JsonElement element in document.RootElement.GetProperty("cases").EnumerateArray())
            {
                IEnumerable<(int, double)> first = element.GetProperty("last_prompt_logits_first16").EnumerateArray().Select((logit, id) => (id, logit.GetDouble()));
                IEnumerable<(int, double)> top = element.GetProperty("last_prompt_logits_top10").EnumerateArray().Select(pair => (pair[0].GetInt32(), pair[1].GetDouble()));
                yield return new ReferenceCase(Ids(element, "prompt_ids"), Ids(element, "greedy_ids"), [.. first, .. top]);
            }
        }

        private static int[] Ids(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(id => id.GetInt32())];
    }
}
