using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains.Tests.Calls;

/// <summary>Calls that a cluster in change turns away are repeated where a repeat does no harm, and only there.</summary>
public sealed class CallRepetitionTests
{
    [Fact]
    public async Task Call_RepeatableAndTurnedAwayTwice_IsAnswered()
    {
        Turnstile turnstile = new();
        await using GrainCluster cluster = await StartAsync(turnstile);
        IUserGrain user = await UserAsync(cluster);

        turnstile.TurnsAway = 2;
        Assert.Equal("alice", (await user.Describe())!.Name);
        Assert.Equal(3, turnstile.Calls);
    }

    [Fact]
    public async Task Call_RepeatableAndTurnedAwayAlways_FailsInTheEnd()
    {
        Turnstile turnstile = new();
        await using GrainCluster cluster = await StartAsync(turnstile);
        IUserGrain user = await UserAsync(cluster);

        turnstile.TurnsAway = int.MaxValue;
        await Assert.ThrowsAsync<SiloUnavailableException>(() => user.Describe());
        Assert.Equal(5, turnstile.Calls);
    }

    [Fact]
    public async Task Call_NotRepeatable_IsMadeOnce()
    {
        Turnstile turnstile = new();
        await using GrainCluster cluster = await StartAsync(turnstile);
        IUserGrain user = await UserAsync(cluster);

        turnstile.TurnsAway = 1;
        await Assert.ThrowsAsync<SiloUnavailableException>(() => user.RotateKey());
        Assert.Equal(1, turnstile.Calls);
    }

    /// <summary>Once a commit that met a silo's death was refused, because a repeat of its first call would have stood in its own way.</summary>
    [Fact]
    public async Task Commit_AnswerOfEachCallIsLostOnce_IsAnsweredAsIfNoneWere()
    {
        Turnstile turnstile = new();
        await using GrainCluster cluster = await StartAsync(turnstile);
        TestUser user = await cluster.CreateUserAsync("alice");
        user = user with { Grain = cluster.Services(0).GetRequiredService<IGrainFactory>().GetGrain<IUserGrain>(user.Id.Value) };
        string reopened = (await user.UploadAsync("tiny")).UploadId, rejected = (await user.UploadAsync("tiny")).UploadId;
        CommitClaim first = CommitClaim.New(silo: null), second = CommitClaim.New(silo: null);
        turnstile.LosesFirstAnswers = true;

        await user.Grain.BeginCommit("tiny", reopened, first);
        await user.Grain.ReopenUpload(reopened, first.CommitId);
        PublishedVersion version = await user.CommitAsync("tiny", reopened);
        await user.Grain.BeginCommit("tiny", rejected, second);
        await user.Grain.RejectUpload(rejected, second.CommitId);

        Assert.Equal([nameof(IUserGrain.BeginCommit), nameof(IUserGrain.CompleteCommit), nameof(IUserGrain.RejectUpload), nameof(IUserGrain.ReopenUpload)], turnstile.Lost.Order());
        turnstile.LosesFirstAnswers = false;
        Assert.Equal(version, Assert.Single(await user.Grain.ListVersions(user.Id, "tiny")));
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.GetUpload("tiny", rejected));
    }

    private static Task<GrainCluster> StartAsync(Turnstile turnstile) => GrainCluster.StartAsync(new TestSilo { Silo = silo => silo.AddIncomingGrainCallFilter(turnstile) });

    /// <summary>A user as a silo calls it: the repetition is the silo's.</summary>
    private static async Task<IUserGrain> UserAsync(GrainCluster cluster)
    {
        TestUser user = await cluster.CreateUserAsync("alice");
        return cluster.Services(0).GetRequiredService<IGrainFactory>().GetGrain<IUserGrain>(user.Id.Value);
    }

    /// <summary>Turns calls to users away, as a silo that is leaving does.</summary>
    private sealed class Turnstile : IIncomingGrainCallFilter
    {
        private readonly ConcurrentDictionary<string, bool> _lost = [];
        private int _calls;

        /// <summary>Whether the first call of each method takes effect and its answer is lost, as when a silo dies right after.</summary>
        public bool LosesFirstAnswers { get; set; }

        public ICollection<string> Lost => _lost.Keys;

        /// <summary>How many of the next calls are turned away; they are counted from here on.</summary>
        public int TurnsAway { get; set; }

        public int Calls => Volatile.Read(ref _calls);

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.Grain is not UserGrain) await context.Invoke();
            else await InvokeUserAsync(context);
        }

        private async Task InvokeUserAsync(IIncomingGrainCallContext context)
        {
            if (TurnsAway > 0 && Interlocked.Increment(ref _calls) <= TurnsAway) throw new SiloUnavailableException("leaving");
            await context.Invoke();
            if (LosesFirstAnswers && _lost.TryAdd(context.MethodName, true)) throw new SiloUnavailableException("dead");
        }
    }
}
