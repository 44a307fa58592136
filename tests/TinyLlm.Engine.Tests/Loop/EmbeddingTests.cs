using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>Embeddings as sequences of the loop. The simulated device's hidden state at a place is the place's number, in every component.</summary>
public sealed class EmbeddingTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task Embed_AnyChunk_IsTheMeanOfLengthOne(int prefillTokens)
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { PrefillTokens = prefillTokens });
        EmbeddingEnd[] ends = await Task.WhenAll(Enumerable.Range(2, 20).Select(tokens => Start(fixture, tokens).Completion));
        float component = (float)(1 / Math.Sqrt(fixture.Model.Config.HiddenSize));
        foreach (EmbeddingEnd end in ends)
        {
            Assert.Equal(FinishReason.Stop, end.Reason);
            Assert.Equal(fixture.Model.Config.HiddenSize, end.Vector.Length);
            Assert.All(end.Vector, value => Assert.Equal(component, value, 6));
        }
        Assert.Equal(0, fixture.Loop.Snapshot().ReservedBytes);
    }

    [Fact]
    public async Task Embed_WholeContext_Fits_AndOneMoreIsRefused()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        Assert.Equal(FinishReason.Stop, (await Start(fixture, TinyCheckpoint.Context).Completion).Reason);
        Assert.Throws<ArgumentException>(() => Start(fixture, TinyCheckpoint.Context + 1));
        Assert.Throws<ArgumentException>(() => Start(fixture, 0));
        Assert.Throws<ArgumentException>(() => fixture.Loop.Embed(fixture.Model, new EmbeddingRequest { Ids = [-1] }));
    }

    [Fact]
    public async Task Embed_BesideAGeneration_DisturbsNeither()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { PrefillTokens = 3 });
        Generation generation = fixture.Start(3, 40);
        EmbeddingRun embedding = Start(fixture, 50);
        Assert.Equal(Enumerable.Range(3, 40), await LoopFixture.ReadAll(generation));
        Assert.Equal(FinishReason.Stop, (await embedding.Completion).Reason);
    }

    [Fact]
    public async Task Cancel_Embedding_FreesItsPlace()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { MaxRunning = 1, PrefillTokens = 1 });
        fixture.Device.Hold();
        EmbeddingRun running = Start(fixture, 100), waiting = Start(fixture, 100);
        fixture.Device.NextStep(LoopFixture.Cancellation);
        running.Cancel();
        waiting.Cancel();
        fixture.Device.Open();
        Assert.Equal(FinishReason.Cancelled, (await running.Completion).Reason);
        Assert.Equal(FinishReason.Cancelled, (await waiting.Completion).Reason);
        await fixture.Pass();
        LoopSnapshot snapshot = fixture.Loop.Snapshot();
        Assert.Equal((0, 0, 0L), (snapshot.RunningSequences, snapshot.WaitingSequences, snapshot.ReservedBytes));
    }

    [Fact]
    public async Task Forward_Fails_EndsTheEmbeddingWithTheReason()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        InvalidOperationException fault = new("the device failed");
        fixture.Device.Fault = _ => fault;
        EmbeddingEnd end = await Start(fixture, 5).Completion;
        Assert.Equal((FinishReason.Failed, fault, 0), (end.Reason, end.Error, end.Vector.Length));
        fixture.Device.Fault = _ => null;
        Assert.Equal(FinishReason.Stop, (await Start(fixture, 5).Completion).Reason);
    }

    private static EmbeddingRun Start(LoopFixture fixture, int tokens) =>
        fixture.Loop.Embed(fixture.Model, new EmbeddingRequest { Ids = [.. Enumerable.Repeat(1, tokens)], Caller = "alice" });
}
