using Microsoft.Extensions.DependencyInjection;
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
        private int _calls;

        /// <summary>How many of the next calls are turned away; they are counted from here on.</summary>
        public int TurnsAway { get; set; }

        public int Calls => Volatile.Read(ref _calls);

        public Task Invoke(IIncomingGrainCallContext context)
        {
            if (TurnsAway == 0 || context.Grain is not UserGrain) return context.Invoke();
            return Interlocked.Increment(ref _calls) <= TurnsAway ? throw new SiloUnavailableException("leaving") : context.Invoke();
        }
    }
}
