using System.Collections.Concurrent;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>The loop's promises, on a simulated device that tests step by hand.</summary>
public sealed class DeviceLoopTests
{
    [Fact]
    public async Task Start_LengthReached_EndsWithEveryToken()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        Generation generation = fixture.Start(3, 5);
        Assert.Equal((int[])[3, 4, 5, 6, 7], await LoopFixture.ReadAll(generation));
        Assert.Equal(new GenerationEnd(FinishReason.Length, 5, null), await generation.Completion);
        Assert.Equal(0, fixture.Loop.Snapshot().ReservedBytes);
    }

    [Fact]
    public async Task Start_StopId_EndsWithoutIt()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        Generation generation = fixture.Start(3, 50, stopIds: [40, 5]);
        Assert.Equal((int[])[3, 4], await LoopFixture.ReadAll(generation));
        Assert.Equal(new GenerationEnd(FinishReason.Stop, 2, null), await generation.Completion);
    }

    [Fact]
    public async Task Start_ContextReached_EndsAsLength()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { ChannelTokens = 1000 });
        Generation generation = fixture.Start(TinyCheckpoint.Context - 3, 50);
        Assert.Equal(new GenerationEnd(FinishReason.Length, 3, null), await generation.Completion);
    }

    [Fact]
    public async Task Cancel_WhileRunning_IsOutOfTheVeryNextStep()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        fixture.Device.Hold();
        Generation cancelled = fixture.Start(3, 100), other = fixture.Start(4, 100);
        while (fixture.Device.NextStep(LoopFixture.Cancellation).Ids.Count < 2) fixture.Device.Release();

        // Both are inside a step now, which cannot be undone; the next one holds the other alone.
        long steps = fixture.Loop.Snapshot().Steps;
        cancelled.Cancel();
        fixture.Device.Release();
        Assert.Single(fixture.Device.NextStep(LoopFixture.Cancellation).Ids);
        Assert.Equal(FinishReason.Cancelled, (await cancelled.Completion).Reason);
        LoopSnapshot snapshot = fixture.Loop.Snapshot();
        Assert.Equal((steps + 1, 1, 103L), (snapshot.Steps, snapshot.RunningSequences, snapshot.ReservedBytes));
        Assert.False(other.Completion.IsCompleted);
    }

    [Fact]
    public async Task Cancel_WhileWaiting_FreesItsPlace()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { MaxRunning = 1 });
        fixture.Device.Hold();
        Generation running = fixture.Start(3, 100), waiting = fixture.Start(3, 100);
        fixture.Device.NextStep(LoopFixture.Cancellation);
        Assert.Equal((1, 1), (fixture.Loop.Snapshot().RunningSequences, fixture.Loop.Snapshot().WaitingSequences));
        waiting.Cancel();
        fixture.Device.Release();
        Assert.Equal(new GenerationEnd(FinishReason.Cancelled, 0, null), await waiting.Completion);
        Assert.Equal((1, 0), (fixture.Loop.Snapshot().RunningSequences, fixture.Loop.Snapshot().WaitingSequences));
        running.Cancel();
    }

    [Fact]
    public async Task Cancel_WhilePaused_EndsThoughNobodyReads()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { ChannelTokens = 4 });
        Generation generation = await Paused(fixture);
        generation.Cancel();
        Assert.Equal(new GenerationEnd(FinishReason.Cancelled, 4, null), await generation.Completion);
        Assert.Equal((0, 0), (fixture.Loop.Snapshot().RunningSequences, fixture.Loop.Snapshot().PausedSequences));
    }

    [Fact]
    public async Task Cancel_TwiceAndAfterTheEnd_ChangesNothing()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        Generation generation = fixture.Start(3, 2);
        GenerationEnd end = await generation.Completion;
        generation.Cancel();
        generation.Cancel();
        await fixture.Pass();
        Assert.Same(end, await generation.Completion);
        Assert.Equal(FinishReason.Length, end.Reason);
    }

    [Fact]
    public async Task SlowReader_FullChannel_PausesItAloneAndLosesNothing()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { ChannelTokens = 4 });
        Generation slow = await Paused(fixture);
        Assert.Equal((1, 1), (fixture.Loop.Snapshot().RunningSequences, fixture.Loop.Snapshot().PausedSequences));
        Assert.Equal(4, slow.Tokens.Count);
        int[] expected = [.. Enumerable.Range(3, 30)];
        Assert.Equal(expected, await LoopFixture.ReadAll(slow));
        Assert.Equal(FinishReason.Length, (await slow.Completion).Reason);
    }

    [Fact]
    public async Task SlowReader_Deadline_EndsItThenAndNotBefore()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { ChannelTokens = 4 });
        Generation slow = await Paused(fixture);
        fixture.Time.Advance(TimeSpan.FromSeconds(29.9));
        await fixture.Pass();
        Assert.False(slow.Completion.IsCompleted);
        fixture.Time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(new GenerationEnd(FinishReason.SlowReader, 4, null), await slow.Completion);
        Assert.Equal((int[])[3, 4, 5, 6], await LoopFixture.ReadAll(slow));
        Assert.Equal(0, fixture.Loop.Snapshot().PausedSequences);
    }

    [Fact]
    public async Task Start_QueueFull_SaysWhenToComeBack()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { MaxRunning = 1, MaxWaiting = 2, RetryAfter = TimeSpan.FromSeconds(7) });
        fixture.Device.Hold();
        List<Generation> accepted = [fixture.Start(3, 3)];
        fixture.Device.NextStep(LoopFixture.Cancellation);
        accepted.AddRange([fixture.Start(3, 3), fixture.Start(3, 3)]);
        Assert.Equal(TimeSpan.FromSeconds(7), Assert.Throws<EngineBusyException>(() => fixture.Start(3, 3)).RetryAfter);
        fixture.Device.Open();
        foreach (Generation generation in accepted) Assert.Equal(FinishReason.Length, (await generation.Completion).Reason);
        Assert.Equal(FinishReason.Length, (await fixture.Start(3, 3).Completion).Reason);
    }

    [Fact]
    public async Task Snapshot_ArrivedDuringATurn_IsPassedOverOnlyWhereTheNextHasNoPlaceForIt()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { MaxRunning = 2 });
        fixture.Device.Hold();
        fixture.Start(3, 100);
        fixture.Device.NextStep(LoopFixture.Cancellation);
        fixture.Start(3, 100);
        fixture.Start(3, 100);
        Assert.Equal((1, 2, 0), Counts());

        fixture.Device.Release();
        fixture.Device.NextStep(LoopFixture.Cancellation);

        Assert.Equal((2, 1, 1), Counts());

        (int Running, int Waiting, int PassedOver) Counts() =>
            fixture.Loop.Snapshot() is var now ? (now.RunningSequences, now.WaitingSequences, now.PassedOverSequences) : default;
    }

    [Fact]
    public async Task OnStarved_CacheDoesNotFit_TellsTheLackAndRunsOnceFreed()
    {
        await using LoopFixture fixture = await LoopFixture.Create(device: new SimulatedBackend(100_000) { BytesPerToken = 1000 });
        BlockingCollection<long> lacks = [];
        fixture.Loop.OnStarved = lacks.Add;
        Assert.True(fixture.Loop.Budget.TryReserve(95_000));
        Generation generation = fixture.Start(3, 8);
        Assert.Equal(10_000 - 5_000, lacks.Take(LoopFixture.Cancellation));

        // Part of it comes free: told again. Nothing comes free: told again after a second.
        fixture.Loop.Budget.Release(1_000);
        Assert.Equal(4_000, lacks.Take(LoopFixture.Cancellation));
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(4_000, lacks.Take(LoopFixture.Cancellation));
        Assert.Equal((0, 1), (fixture.Loop.Snapshot().RunningSequences, fixture.Loop.Snapshot().WaitingSequences));
        fixture.Loop.Budget.Release(94_000);
        Assert.Equal(FinishReason.Length, (await generation.Completion).Reason);
    }

    [Fact]
    public async Task Start_NoRoomInTime_EndsAsFailedWithBusy()
    {
        await using LoopFixture fixture = await LoopFixture.Create(device: new SimulatedBackend(100_000) { BytesPerToken = 1000 });
        using SemaphoreSlim starved = new(0);
        fixture.Loop.OnStarved = _ => starved.Release();
        Assert.True(fixture.Loop.Budget.TryReserve(99_500));
        Generation generation = fixture.Start(3, 8);
        await starved.WaitAsync(LoopFixture.Cancellation);
        fixture.Time.Advance(TimeSpan.FromSeconds(60));
        GenerationEnd end = await generation.Completion;
        Assert.Equal(FinishReason.Failed, end.Reason);
        Assert.IsType<EngineBusyException>(end.Error);
        Assert.Empty(await LoopFixture.ReadAll(generation));
    }

    [Fact]
    public async Task Forward_Throws_FailsThatBatchAndNobodyElse()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { ChannelTokens = 1000 });
        ResidentModel second = await fixture.Load();
        InvalidOperationException fault = new("the device failed");
        fixture.Device.Hold();
        Generation other = fixture.Start(4, 20, model: second);
        fixture.Device.NextStep(LoopFixture.Cancellation);
        fixture.Device.Fault = step => step.Ids.Contains(7) ? fault : null;
        Generation inBatch = fixture.Start(3, 20), failing = fixture.Start(7, 20);
        fixture.Device.Open();
        Assert.Equal(new GenerationEnd(FinishReason.Failed, 0, fault), await failing.Completion);
        Assert.Equal(FinishReason.Failed, (await inBatch.Completion).Reason);
        Assert.Equal(new GenerationEnd(FinishReason.Length, 20, null), await other.Completion);
        Assert.Equal(new GenerationEnd(FinishReason.Length, 5, null), await fixture.Start(3, 5).Completion);
        await fixture.Loop.ForgetAsync("");
        Assert.Equal(0, fixture.Loop.Snapshot().ReservedBytes);
    }

    [Fact]
    public async Task Prefill_LongPrompt_GoesInChunksBesideDecoding()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { PrefillTokens = 4, ChannelTokens = 1000 });
        fixture.Device.Hold();
        Generation decoding = fixture.Start(1, 100);
        fixture.Device.NextStep(LoopFixture.Cancellation);
        Generation prefilling = fixture.Start(10, 1);
        List<int[]> steps = [];
        while (!prefilling.Completion.IsCompleted && steps.Count < 3)
        {
            fixture.Device.Release();
            steps.Add([.. fixture.Device.NextStep(LoopFixture.Cancellation).Ids]);
        }
        Assert.Equal([[1, 4], [1, 4], [1, 2]], steps);
        fixture.Device.Release();
        Assert.Equal((int[])[10], await LoopFixture.ReadAll(prefilling));
        decoding.Cancel();
    }

    [Fact]
    public async Task Admit_OneBusyCaller_LetsTheOtherInNext()
    {
        await using LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { MaxRunning = 1, ChannelTokens = 1000 });
        List<int> admitted = [];
        fixture.Device.Stepped = step => admitted.AddRange(step.Ids.Where(count => count > 1));
        fixture.Device.Hold();
        List<Generation> all = [fixture.Start(3, 4, "busy")];
        fixture.Device.NextStep(LoopFixture.Cancellation);
        for (int i = 0; i < 6; i++) all.Add(fixture.Start(3, 4, "busy"));
        all.Add(fixture.Start(5, 4, "light"));
        fixture.Device.Open();
        foreach (Generation generation in all) await generation.Completion;

        // The busy caller's first was running already; the light one, whose prompt has 5 ids, came last and is second.
        Assert.Equal([3, 5, 3, 3, 3, 3, 3, 3], admitted);
    }

    [Fact]
    public async Task Unload_InUse_IsRefused_AfterwardsDone()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        fixture.Device.Hold();
        Generation generation = fixture.Start(3, 100);
        fixture.Device.NextStep(LoopFixture.Cancellation);
        await Assert.ThrowsAsync<InvalidOperationException>(() => fixture.Loop.UnloadAsync(fixture.Model));
        generation.Cancel();
        fixture.Device.Open();
        await generation.Completion;
        await fixture.Loop.UnloadAsync(fixture.Model);
        Assert.Equal(0, fixture.Device.LiveTensors);
        Assert.Throws<InvalidOperationException>(() => fixture.Start(3, 3));
        await Assert.ThrowsAsync<InvalidOperationException>(() => fixture.Loop.UnloadAsync(fixture.Model));
    }

    [Fact]
    public async Task Load_CancelledBefore_LoadsNothing()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        long before = fixture.Device.LiveTensors;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Loop.LoadAsync(checkpoint, new CancellationToken(true)));
        Assert.Equal(before, fixture.Device.LiveTensors);
    }

    [Fact]
    public async Task Dispose_RunningWaitingPaused_AllEndOnceAndNothingStays()
    {
        LoopFixture fixture = await LoopFixture.Create(new DeviceLoopOptions { MaxRunning = 2, ChannelTokens = 4 });
        Generation paused = await Paused(fixture);
        fixture.Device.Hold();
        Generation running = fixture.Start(3, 100);
        fixture.Device.NextStep(LoopFixture.Cancellation);
        Generation waiting = fixture.Start(3, 100);
        await fixture.DisposeAsync();
        foreach (Generation generation in (Generation[])[paused, running, waiting])
        {
            GenerationEnd end = await generation.Completion;
            Assert.Equal(FinishReason.Failed, end.Reason);
            Assert.IsType<ObjectDisposedException>(end.Error);
            await LoopFixture.ReadAll(generation);
        }
        Assert.True(fixture.Device.IsDisposed);
        Assert.Equal(0, fixture.Device.LiveTensors);
        LoopSnapshot snapshot = fixture.Loop.Snapshot();
        Assert.Equal((0, 0, 0, 0L), (snapshot.RunningSequences, snapshot.WaitingSequences, snapshot.PausedSequences, snapshot.ReservedBytes));
        Assert.Throws<ObjectDisposedException>(() => fixture.Start(3, 3));
        await fixture.Loop.DisposeAsync();
    }

    [Theory]
    [InlineData(0, 1, "no ids")]
    [InlineData(TinyCheckpoint.Context, 1, "context of 128")]
    [InlineData(3, 0, "at least 1")]
    [InlineData(3, 60, "ask for fewer")]
    public async Task Start_RequestThatCanNeverRun_IsRefused(int promptTokens, int newTokens, string message)
    {
        await using LoopFixture fixture = await LoopFixture.Create(device: new SimulatedBackend(70_000) { BytesPerToken = 1000 });
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => fixture.Start(promptTokens, newTokens));
        Assert.Contains(message, thrown.Message, StringComparison.Ordinal);
        Assert.Equal(0, fixture.Loop.Snapshot().WaitingSequences);
    }

    [Fact]
    public async Task Start_IdOutsideOfTheVocabulary_IsRefused()
    {
        await using LoopFixture fixture = await LoopFixture.Create();
        Assert.Throws<ArgumentException>(() => fixture.Loop.Start(fixture.Model, new GenerationRequest { PromptIds = [TinyCheckpoint.Vocabulary], MaxNewTokens = 1 }));
    }

    /// <summary>Seeded schedules of arrivals, cancels and readers that stop: each sequence ends once, with the text it gives alone, and all is freed.</summary>
    [Fact]
    public async Task Start_RandomSchedules_EverySequenceEndsOnceAndAllIsFreed()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            DeviceLoopOptions options = new() { MaxRunning = random.Next(1, 6), PrefillTokens = random.Next(1, 9), ChannelTokens = random.Next(1, 9), MaxWaiting = 1000 };
            LoopFixture fixture = await LoopFixture.Create(options, new SimulatedBackend(25_000 + random.Next(200)));
            long limit = fixture.Loop.Budget.LimitBytes, most = 0;
            fixture.Device.Stepped = _ => most = Math.Max(most, fixture.Loop.Budget.ReservedBytes);
            List<Task> all = [];
            for (int i = 0; i < 40; i++)
            {
                int prompt = random.Next(1, 20), count = random.Next(1, 40), readFirst = random.Next(4) == 0 ? random.Next(count) : int.MaxValue;
                Generation generation = fixture.Start(prompt, count, $"caller {random.Next(3)}");
                all.Add(Follow(generation, prompt, count, readFirst));
            }
            await Task.WhenAll(all);
            for (int caller = 0; caller < 3; caller++) await fixture.Loop.ForgetAsync($"caller {caller}");
            LoopSnapshot snapshot = fixture.Loop.Snapshot();
            Assert.Equal((0, 0, 0, 0L), (snapshot.RunningSequences, snapshot.WaitingSequences, snapshot.PausedSequences, snapshot.ReservedBytes));
            Assert.InRange(most, 1, limit);
            await fixture.DisposeAsync();
            Assert.Equal(0, fixture.Device.LiveTensors);
        }

        static async Task Follow(Generation generation, int prompt, int count, int readFirst)
        {
            List<int> ids = [];
            await foreach (GeneratedToken token in generation.Tokens.ReadAllAsync(LoopFixture.Cancellation))
            {
                ids.Add(token.Id);
                if (ids.Count == readFirst) generation.Cancel();
            }
            GenerationEnd end = await generation.Completion;
            Assert.Equal(Enumerable.Range(prompt, ids.Count).Select(id => id % TinyCheckpoint.Vocabulary), ids);
            Assert.Equal(end.CompletionTokens, ids.Count);
            if (end.Reason == FinishReason.Length) Assert.Equal(count, ids.Count);
            else Assert.Equal((FinishReason.Cancelled, true), (end.Reason, ids.Count >= readFirst));
        }
    }

    /// <summary>A sequence of 30 tokens, a channel's worth of them written, whose reader has not begun.</summary>
    private static async Task<Generation> Paused(LoopFixture fixture)
    {
        Generation slow = fixture.Start(3, 30), quick = fixture.Start(3, 20);
        await LoopFixture.ReadAll(quick);
        Assert.Equal(FinishReason.Length, (await quick.Completion).Reason);
        Assert.Equal(1, fixture.Loop.Snapshot().PausedSequences);
        return slow;
    }
}
