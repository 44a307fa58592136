using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Usage;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Usage;

/// <summary>What is used is counted once, for who used it and for whose it is.</summary>
public sealed class UsageMeterTests
{
    private static readonly DateOnly s_day = new(2026, 1, 1); // where the clock of a test cluster stands

    [Fact]
    public async Task Generate_Tokens_AreInTheLedgerUnderBothRoles()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.Grain.Lease(alice.Id, "tiny", null, ModelRight.Infer)).Lease;
        for (int i = 0; i < 3; i++) await cluster.GenerateAsync(lease, TestSession.Greedy(5));
        await MeterOf(cluster).FlushAsync();

        UsageMonth month = await LedgerOf(cluster, alice.Id).Read();
        Assert.Equal([UsageRole.Consumer, UsageRole.Owner], month.Rows.Select(row => row.Role));
        foreach (UsageRow row in month.Rows)
        {
            Assert.Equal(("alice/tiny", s_day), (row.Model, row.Day));
            Assert.Equal((3, 12, 15), (row.Count.Requests, row.Count.PromptTokens, row.Count.CompletionTokens));
            Assert.True(row.Count.ModelTime > TimeSpan.Zero);
        }
        StoredBytesRow stored = Assert.Single(month.Stored);
        Assert.Equal(["alice/tiny"], stored.Models.Keys);
        Assert.True(stored.Models["alice/tiny"] > 1000);
    }

    /// <summary>An answer of one token is done when its prompt is: that time counts.</summary>
    [Fact]
    public async Task Generate_OneToken_CountsThePromptsTime()
    {
        TimeSpan step = TimeSpan.FromMilliseconds(20);
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        cluster.Device().Stepped = _ => Spin(step);
        for (int i = 0; i < 3; i++) await cluster.GenerateAsync(lease, TestSession.Greedy(1));
        await MeterOf(cluster).FlushAsync();
        Assert.All((await LedgerOf(cluster, alice.Id).Read()).Rows, row => Assert.True(row.Count.ModelTime >= 3 * step, $"three steps took {row.Count.ModelTime}"));
    }

    [Fact]
    public async Task Embed_OnAnothersModel_IsInBothLedgersWithItsTime()
    {
        TimeSpan step = TimeSpan.FromMilliseconds(20);
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        UserId bob = UserId.New();
        ModelLease lease = cluster.Sign((await alice.LeaseAsync("tiny")).Lease with { Caller = bob });
        cluster.Device().Stepped = _ => Spin(step);
        for (int i = 0; i < 3; i++) await EmbedAsync(cluster, lease, [1, 3, 3, 3, 3], [1, 3]);
        cluster.Device().Fault = _ => new InvalidOperationException("a broken device");
        await Assert.ThrowsAnyAsync<Exception>(() => EmbedAsync(cluster, lease, [1, 3]));
        await MeterOf(cluster).FlushAsync();

        UsageRow consumed = Assert.Single((await LedgerOf(cluster, bob).Read()).Rows);
        UsageRow owned = Assert.Single((await LedgerOf(cluster, alice.Id).Read()).Rows);
        Assert.Equal((UsageRole.Consumer, UsageRole.Owner), (consumed.Role, owned.Role));
        Assert.Equal(("alice/tiny", 3, 21, 0), (owned.Model, owned.Count.Requests, owned.Count.PromptTokens, owned.Count.CompletionTokens));
        Assert.True(owned.Count.ModelTime >= 3 * step, $"three steps took {owned.Count.ModelTime}");
        Assert.Equal(owned.Count, consumed.Count);
    }

    [Fact]
    public async Task Count_EndOfAnAnswer_AddsWhatACacheSpared()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        SessionUsage usage = new(MeterOf(cluster), (await alice.LeaseAsync("tiny")).Lease);
        usage.Count(new SessionEnded { Reason = SessionEnd.Stop, PromptTokens = 40, CompletionTokens = 0, CachedTokens = 32 });
        await MeterOf(cluster).FlushAsync();
        Assert.Equal([32L, 32L], (await LedgerOf(cluster, alice.Id).Read()).Rows.Select(row => row.Count.CachedTokens));
    }

    /// <summary>The answer to a delta is lost, and it comes again: also from a ledger that was activated anew in between.</summary>
    [Fact]
    public async Task Add_SameDeltaAgain_CountsOnce()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        UserId user = UserId.New();
        IUsageLedgerGrain ledger = LedgerOf(cluster, user);
        await ledger.Add(Delta("use_a", 1, 10));
        await ledger.Add(Delta("use_a", 1, 10));
        await cluster.Orleans.DeactivateAsync(ledger);
        await ledger.Add(Delta("use_a", 1, 10));
        await ledger.Add(Delta("use_b", 1, 100)); // another silo, or the same in another life
        await ledger.Add(Delta("use_a", 3, 1_000)); // numbers may be left out: they went to other ledgers
        await ledger.Add(Delta("use_a", 2, 10_000)); // one that was overtaken was never acknowledged, and never comes
        Assert.Equal(1_110, Assert.Single((await ledger.Read()).Rows).Count.CompletionTokens);
    }

    /// <summary>The ledger's state can't be written for a while; what gathers meanwhile is told as well, each once.</summary>
    [Fact]
    public async Task Flush_LedgerFailsForAWhile_TellsItLaterOnce()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        UsageMeter meter = MeterOf(cluster);
        string folder = Path.Combine(cluster.DataPath, "grainstate", "usage-usageledger");
        await File.WriteAllTextAsync(folder, "", TestContext.Current.CancellationToken); // where the ledgers' folder will be
        meter.Record(new UsageAccount(alice.Id, alice.Id, "alice/tiny"), new UsageCount { CompletionTokens = 7 });
        await meter.FlushAsync();
        meter.Record(new UsageAccount(alice.Id, alice.Id, "alice/tiny"), new UsageCount { CompletionTokens = 5 });
        await meter.FlushAsync();

        File.Delete(folder);
        await meter.FlushAsync(); // the delta that failed
        await meter.FlushAsync(); // what gathered
        await meter.FlushAsync(); // nothing
        Assert.All((await LedgerOf(cluster, alice.Id).Read()).Rows, row => Assert.Equal(12, row.Count.CompletionTokens));
    }

    [Fact]
    public async Task StopSilo_WhatWasNotToldYet_IsTold()
    {
        using TempFolder folder = new();
        TestClock time = new();
        UserId user = UserId.New();
        await using (GrainCluster cluster = await GrainCluster.StartAsync(folder.FullPath, time))
        {
            MeterOf(cluster).Record(new UsageAccount(user, user, "a/b"), new UsageCount { CompletionTokens = 3 });
            await cluster.Orleans.StopSiloAsync(cluster.Orleans.Silos[0]);
        }
        await using GrainCluster second = await GrainCluster.StartAsync(folder.FullPath, time);
        Assert.All((await LedgerOf(second, user).Read()).Rows, row => Assert.Equal(3, row.Count.CompletionTokens));
        Assert.Equal(2, (await LedgerOf(second, user).Read()).Rows.Length);
    }

    [Fact]
    public async Task Add_MoreModelsThanADayTellsApart_CountsTheRestTogether()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        IUsageLedgerGrain ledger = LedgerOf(cluster, UserId.New());
        int models = UsageLedgerGrain.MaxModelsPerDay + 3;
        await ledger.Add(Delta("use_a", 1, 1) with { Rows = [.. Enumerable.Range(0, models).Select(i => Row($"a/m{i}", 1))] });
        ImmutableArray<UsageRow> rows = (await ledger.Read()).Rows;
        Assert.Equal(UsageLedgerGrain.MaxModelsPerDay + 1, rows.Length);
        Assert.Equal(models, rows.Sum(row => row.Count.CompletionTokens));
        Assert.Equal(3, Assert.Single(rows, row => row.Model == UsageLedgerGrain.OtherModels).Count.CompletionTokens);
    }

    [Fact]
    public async Task Forget_User_RemovesLedgersAndCountsNothingLate()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        MeterOf(cluster).Record(new UsageAccount(alice.Id, alice.Id, "alice/tiny"), new UsageCount { CompletionTokens = 3 });
        await MeterOf(cluster).FlushAsync();
        Assert.NotEmpty((await LedgerOf(cluster, alice.Id).Read()).Rows);
        await alice.Grain.Forget();
        MeterOf(cluster).Record(new UsageAccount(alice.Id, alice.Id, "alice/tiny"), new UsageCount { CompletionTokens = 3 });
        await MeterOf(cluster).FlushAsync();
        Assert.Empty((await LedgerOf(cluster, alice.Id).Read()).Rows);
        Assert.Null(await cluster.GrainState.GetAsync($"usage-usageledger/{UsageMonth.Key(alice.Id, s_day)}.json", TestContext.Current.CancellationToken));
    }

    private static Task<EmbeddingAnswer> EmbedAsync(GrainCluster cluster, ModelLease lease, params ImmutableArray<int>[] texts) => cluster.Session(lease).Embed(
        lease, new EmbeddingSpec { Inputs = [.. texts.Select(ids => new EmbeddingInput { Ids = ids })] }, TestContext.Current.CancellationToken);

    /// <summary>A step of the device that takes this long, and not less.</summary>
    private static void Spin(TimeSpan time)
    {
        long begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < time) Thread.SpinWait(1_000);
    }

    private static UsageMeter MeterOf(GrainCluster cluster) => cluster.Services(0).GetRequiredService<UsageMeter>();

    private static IUsageLedgerGrain LedgerOf(GrainCluster cluster, UserId user) => cluster.Client.GetGrain<IUsageLedgerGrain>(UsageMonth.Key(user, s_day));

    private static UsageRow Row(string model, long tokens) =>
        new() { Day = s_day, Model = model, Role = UsageRole.Owner, Count = new UsageCount { CompletionTokens = tokens } };

    private static UsageDelta Delta(string source, long number, long tokens) => new() { Source = source, Number = number, Rows = [Row("a/b", tokens)] };
}
