using Microsoft.Extensions.Logging.Abstractions;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>The models without layers, through the whole loop.</summary>
[Collection(TorchTests.Name)]
public sealed class CharacterModelTests
{
    /// <summary>What never followed has probability zero, its logarithm minus infinity, and is never said, at any temperature.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    public async Task Start_NGramThatCounts_SaysOnlyWhatFollowed(double temperature)
    {
        const int size = TinyShapes.Vocabulary;
        using TinyCheckpoint tiny = new("TinyLlmNGramForCausalLM");
        float[] transitions = new float[size * size];
        Array.Fill(transitions, float.NegativeInfinity);
        for (int id = 0; id < size; id++) transitions[id * size + (id + 1) % size] = 0;
        tiny.Set("transitions.weight", [size, size], transitions);
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        await using DeviceLoop loop = new(
            new TorchBackend(new TorchBackendOptions { Device = "cpu" }), new DeviceLoopOptions(), TimeProvider.System, NullLogger<DeviceLoop>.Instance);
        ResidentModel model = await loop.LoadAsync(checkpoint, TestContext.Current.CancellationToken);
        Generation generation = loop.Start(model, new GenerationRequest
        {
            PromptIds = [3, 5],
            Sampling = new SamplingOptions { Temperature = temperature, Seed = 1 },
            MaxNewTokens = 60,
        });
        List<int> ids = [];
        await foreach (GeneratedToken token in generation.Tokens.ReadAllAsync(TestContext.Current.CancellationToken)) ids.Add(token.Id);
        Assert.Equal([.. Enumerable.Range(6, 60).Select(id => id % size)], ids);
        Assert.Equal(FinishReason.Length, (await generation.Completion).Reason);
    }
}
