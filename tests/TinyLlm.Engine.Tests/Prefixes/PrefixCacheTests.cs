using System.Collections.Concurrent;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>What the prefix cache saves, from whom it keeps it, and when it gives way. The device's next token depends on every id before it.</summary>
public sealed class PrefixCacheTests
{
    private const long BytesPerToken = 100;

    [Theory]
    [InlineData(16, 0)] // the last token is always computed
    [InlineData(17, 16)]
    [InlineData(32, 16)]
    [InlineData(33, 32)]
    [InlineData(50, 48)]
    public async Task Start_PromptSeenBefore_ComputesTheRestAndSaysTheSame(int promptTokens, int cachedTokens)
    {
        await using LoopFixture fixture = await Create();
        int computed = 0;
        fixture.Device.Stepped = step => computed += step.Ids.Sum();
        int[] prompt = Prompt(1, promptTokens);
        Answer first = await Ask(fixture, "alice", prompt, newTokens: 1);
        Assert.Equal((0, promptTokens), (first.CachedTokens, computed));
        Answer second = await Ask(fixture, "alice", prompt, newTokens: 1);
        Assert.Equal((cachedTokens, 2 * promptTokens - cachedTokens), (second.CachedTokens, computed));
        Assert.Equal(first.Ids, second.Ids);
    }

    [Fact]
    public async Task Start_PromptThatPartsOnTheWay_TakesWhatIsCommon()
    {
        await using LoopFixture fixture = await Create();
        int[] prompt = Prompt(1, 60), other = [.. prompt[..40], .. Prompt(2, 20)];
        await Ask(fixture, "alice", prompt);
        Answer cached = await Ask(fixture, "alice", other);
        Assert.Equal(32, cached.CachedTokens);
        await fixture.Loop.ForgetAsync("alice");
        Answer computed = await Ask(fixture, "alice", other);
        Assert.Equal(0, computed.CachedTokens);
        Assert.Equal(computed.Ids, cached.Ids);
    }

    [Fact]
    public async Task Start_NextTurnOfAConversation_FindsTheAnswerToo()
    {
        await using LoopFixture fixture = await Create();
        int[] prompt = Prompt(1, 20);
        Answer answer = await Ask(fixture, "alice", prompt, newTokens: 30);
        Assert.Equal(48, (await Ask(fixture, "alice", [.. prompt, .. answer.Ids, 5])).CachedTokens);
    }

    [Fact]
    public async Task Start_AnotherCallersPrompt_IsNeverAHit()
    {
        await using LoopFixture fixture = await Create();
        int[] prompt = Prompt(1, 50);
        Answer alice = await Ask(fixture, "alice", prompt), bob = await Ask(fixture, "bob", prompt);
        Assert.Equal(0, bob.CachedTokens);
        Assert.Equal(alice.Ids, bob.Ids);
        Assert.Equal(48, (await Ask(fixture, "bob", prompt)).CachedTokens);
    }

    [Fact]
    public async Task Start_OnAnotherModel_IsNoHit()
    {
        await using LoopFixture fixture = await Create();
        ResidentModel other = await fixture.Load();
        await Ask(fixture, "alice", Prompt(1, 50));
        Assert.Equal(0, (await Ask(fixture, "alice", Prompt(1, 50), model: other)).CachedTokens);
    }

    [Fact]
    public async Task Start_WhileTheFirstStillDecodes_FindsItsPrompt()
    {
        await using LoopFixture fixture = await Create(new DeviceLoopOptions { ChannelTokens = 8 }); // so it pauses, and can't end before the other began
        Generation running = Start(fixture, "alice", Prompt(1, 40), 60);
        await running.Tokens.ReadAsync(LoopFixture.Cancellation);
        Assert.Equal(32, (await Ask(fixture, "alice", Prompt(1, 40))).CachedTokens);
        running.Cancel();
        Assert.Equal(FinishReason.Cancelled, (await running.Completion).Reason);
    }

    [Fact]
    public async Task Start_ShareOfZero_KeepsNothing()
    {
        await using LoopFixture fixture = await Create(new DeviceLoopOptions { PrefixCacheShare = 0 });
        await Ask(fixture, "alice", Prompt(1, 50));
        Assert.Equal(0, (await Ask(fixture, "alice", Prompt(1, 50))).CachedTokens);
        Assert.Equal((0L, LoopFixture.WeightBytes), (fixture.Loop.Snapshot().PrefixBytes, fixture.Loop.Snapshot().ReservedBytes));
    }

    [Fact]
    public async Task Keep_MoreThanTheShare_DropsTheLeastRecentlyUsed()
    {
        // Room for 6 blocks: three texts of two blocks each, of which the first is used again before a fourth comes.
        await using LoopFixture fixture = await Create(prefixBlocks: 6);
        foreach (int text in (int[])[1, 2, 3, 1, 4]) await Ask(fixture, "alice", Prompt(text, 33), newTokens: 1);
        Assert.Equal(6 * 16 * BytesPerToken, fixture.Loop.Snapshot().PrefixBytes);
        Assert.Equal(32, (await Ask(fixture, "alice", Prompt(1, 33), newTokens: 1)).CachedTokens);
        Assert.Equal(32, (await Ask(fixture, "alice", Prompt(4, 33), newTokens: 1)).CachedTokens);
        Assert.Equal(0, (await Ask(fixture, "alice", Prompt(2, 33), newTokens: 1)).CachedTokens);
    }

    [Fact]
    public async Task Keep_TextLongerThanTheShare_KeepsItsBeginning()
    {
        await using LoopFixture fixture = await Create(prefixBlocks: 2);
        await Ask(fixture, "alice", Prompt(1, 100), newTokens: 1);
        Assert.Equal(2 * 16 * BytesPerToken, fixture.Loop.Snapshot().PrefixBytes);
        Assert.Equal(32, (await Ask(fixture, "alice", Prompt(1, 100), newTokens: 1)).CachedTokens);
    }

    [Fact]
    public async Task Start_SequenceNeedsTheBytes_TheCacheGivesWayBeforeAnybodyIsAsked()
    {
        await using LoopFixture fixture = await Create(new DeviceLoopOptions { PrefixCacheShare = 1 }, roomBlocks: 9);
        BlockingCollection<long> lacks = [];
        fixture.Loop.OnStarved = lacks.Add;
        await Ask(fixture, "alice", Prompt(1, 49), newTokens: 1);
        Assert.Equal(3 * 16 * BytesPerToken, fixture.Loop.Snapshot().PrefixBytes);
        // 8 blocks of 9, and its own beginning is the last to go.
        Assert.Equal(16, (await Ask(fixture, "alice", [.. Prompt(1, 17), .. Prompt(2, 100)], newTokens: 11)).CachedTokens);
        Assert.Empty(lacks);
    }

    [Fact]
    public async Task TryReserve_CacheHoldsTheBytes_MakesRoom_AndNoneWhenItCannotSuffice()
    {
        await using LoopFixture fixture = await Create(new DeviceLoopOptions { PrefixCacheShare = 1 }, roomBlocks: 10);
        await Ask(fixture, "alice", Prompt(1, 65), newTokens: 1);
        long kept = fixture.Loop.Snapshot().PrefixBytes, limit = fixture.Loop.Budget.LimitBytes;
        Assert.Equal(4 * 16 * BytesPerToken, kept);
        long room = limit - LoopFixture.WeightBytes, most = room - 2 * 16 * BytesPerToken;
        Assert.False(await fixture.Loop.TryReserveAsync(room + 1));
        Assert.Equal(kept, fixture.Loop.Snapshot().PrefixBytes);
        Assert.True(await fixture.Loop.TryReserveAsync(most));
        Assert.Equal(2 * 16 * BytesPerToken, fixture.Loop.Snapshot().PrefixBytes);
        Assert.Equal(limit, fixture.Loop.Budget.ReservedBytes);
        fixture.Loop.Budget.Release(most);
        Assert.Equal(32, (await Ask(fixture, "alice", Prompt(1, 65), newTokens: 1)).CachedTokens);
    }

    [Fact]
    public async Task Unload_Model_TakesItsBlocksAlong()
    {
        await using LoopFixture fixture = await Create();
        ResidentModel other = await fixture.Load();
        await Ask(fixture, "alice", Prompt(1, 50), newTokens: 1);
        await Ask(fixture, "alice", Prompt(1, 50), newTokens: 1, model: other);
        await fixture.Loop.UnloadAsync(other);
        Assert.Equal(3 * 16 * BytesPerToken, fixture.Loop.Snapshot().PrefixBytes);
        await fixture.Loop.UnloadAsync(fixture.Model);
        Assert.Equal((0L, 0L), (fixture.Loop.Snapshot().PrefixBytes, fixture.Device.LiveTensors));
    }

    [Fact]
    public async Task Forget_Caller_DropsThatCallersTextsAlone()
    {
        await using LoopFixture fixture = await Create();
        await Ask(fixture, "alice", Prompt(1, 50));
        await Ask(fixture, "bob", Prompt(1, 50));
        await fixture.Loop.ForgetAsync("alice");
        Assert.Equal(0, (await Ask(fixture, "alice", Prompt(1, 50))).CachedTokens);
        Assert.Equal(48, (await Ask(fixture, "bob", Prompt(1, 50))).CachedTokens);
    }

    [Fact]
    public async Task Forget_CallerWhoseSequenceRuns_KeepsNothingOfIt()
    {
        await using LoopFixture fixture = await Create(new DeviceLoopOptions { ChannelTokens = 8 });
        Generation running = Start(fixture, "alice", Prompt(1, 40), 60);
        await running.Tokens.ReadAsync(LoopFixture.Cancellation);
        await fixture.Loop.ForgetAsync("alice");
        running.Cancel();
        await running.Completion;
        Assert.Equal(0, fixture.Loop.Snapshot().PrefixBytes);
    }

    [Fact]
    public async Task Turn_LifetimeOver_DropsWhatNobodyUsed()
    {
        await using LoopFixture fixture = await Create(new DeviceLoopOptions { PrefixCacheLifetime = TimeSpan.FromMinutes(5) });
        await Ask(fixture, "alice", Prompt(1, 50), newTokens: 1);
        fixture.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(48, (await Ask(fixture, "alice", Prompt(1, 50), newTokens: 1)).CachedTokens);
        fixture.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(48, (await Ask(fixture, "alice", Prompt(1, 50), newTokens: 1)).CachedTokens);
        fixture.Time.Advance(TimeSpan.FromMinutes(5));
        await fixture.Pass();
        Assert.Equal(0, fixture.Loop.Snapshot().PrefixBytes);
    }

    [Fact]
    public async Task Forward_Failed_KeepsNothingOfThatBatch()
    {
        await using LoopFixture fixture = await Create();
        fixture.Device.Fault = _ => new InvalidDataException("broken");
        Assert.Equal(FinishReason.Failed, (await Start(fixture, "alice", Prompt(1, 50), 5).Completion).Reason);
        fixture.Device.Fault = _ => null;
        Assert.Equal(0, (await Ask(fixture, "alice", Prompt(1, 50))).CachedTokens);
    }

    /// <summary>A model, and beside it room for this many blocks, of which the prefix cache may take as many as given.</summary>
    private static async Task<LoopFixture> Create(DeviceLoopOptions? options = null, int roomBlocks = 10_000, int? prefixBlocks = null)
    {
        long blockBytes = 16 * BytesPerToken, budget = LoopFixture.WeightBytes + roomBlocks * blockBytes;
        options ??= new DeviceLoopOptions();
        if (prefixBlocks is { } blocks) options.PrefixCacheShare = (blocks + 0.5) * blockBytes / budget;
        LoopFixture fixture = await LoopFixture.Create(options, new SimulatedBackend(budget) { BytesPerToken = BytesPerToken, Next = TextHash.Next });
        Assert.True(fixture.Loop.Budget.TryReserve(LoopFixture.WeightBytes));
        return fixture;
    }

    private static int[] Prompt(int text, int tokens)
    {
        Random random = new(text);
        return [.. Enumerable.Range(0, tokens).Select(_ => random.Next(TinyCheckpoint.Vocabulary))];
    }

    private static Generation Start(LoopFixture fixture, string caller, int[] promptIds, int newTokens, ResidentModel? model = null) => fixture.Loop.Start(
        model ?? fixture.Model,
        new GenerationRequest { PromptIds = [.. promptIds], MaxNewTokens = newTokens, Sampling = new SamplingOptions { Temperature = 0 }, Caller = caller });

    private static async Task<Answer> Ask(LoopFixture fixture, string caller, int[] promptIds, int newTokens = 5, ResidentModel? model = null)
    {
        Generation generation = Start(fixture, caller, promptIds, newTokens, model);
        int[] ids = await LoopFixture.ReadAll(generation);
        GenerationEnd end = await generation.Completion;
        Assert.Equal(FinishReason.Length, end.Reason);
        Assert.Equal(TextHash.Continue(promptIds, newTokens, TinyCheckpoint.Vocabulary), ids);
        return new Answer(ids, end.CachedTokens);
    }

    private sealed record Answer(int[] Ids, int CachedTokens);
}
