using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using TinyLlm.Host.Clustering;
using TinyLlm.Host.Hosting;

namespace TinyLlm.Host.Tests.Clustering;

public sealed class DeathWatchTests
{
    [Fact]
    public async Task Examine_PortThatAnswersOnceMore_IsDeclaredDead()
    {
        using TcpListener port = Listen();
        Membership membership = new(port);

        Task examined = Watch(membership).ExamineAsync(membership.Silo);
        using (await port.AcceptSocketAsync(TestContext.Current.CancellationToken)) port.Stop();
        await examined;

        Assert.Equal(1, membership.Kills);
    }

    [Fact]
    public async Task Examine_OthersWriteToTheTable_TriesAgain()
    {
        using TcpListener port = Listen();
        Membership membership = new(port) { Conflicts = 1 };
        port.Stop();

        await Watch(membership).ExamineAsync(membership.Silo);

        Assert.Equal(2, membership.Kills);
    }

    [Fact]
    public async Task Examine_PortThatGoesOnAnswering_IsLeftAlone()
    {
        using TcpListener port = Listen();
        Membership membership = new(port);

        await Watch(membership).ExamineAsync(membership.Silo);

        Assert.Equal(0, membership.Kills);
    }

    /// <summary>On a port that nobody else gets when it is closed.</summary>
    private static TcpListener Listen()
    {
        TcpListener port = new(IPAddress.Loopback, FreePort.OnLoopback());
        port.Start();
        return port;
    }

    private static DeathWatch Watch(Membership membership) =>
        new(membership, new ApplicationLifetime(NullLogger<ApplicationLifetime>.Instance), TimeProvider.System, NullLogger<DeathWatch>.Instance);

    /// <summary>A cluster of one silo, which runs for all that it knows.</summary>
    private sealed class Membership(TcpListener port) : IClusterMembershipService
    {
        public SiloAddress Silo { get; } = SiloAddress.New((IPEndPoint)port.LocalEndpoint, 1);

        /// <summary>How many attempts to declare the silo dead fail, because another writer was faster.</summary>
        public int Conflicts { get; init; }

        public int Kills { get; private set; }

        public ClusterMembershipSnapshot CurrentSnapshot =>
            new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty.Add(Silo, new ClusterMember(Silo, SiloStatus.Active, "silo")), new MembershipVersion(1));

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task<bool> TryKill(SiloAddress siloAddress) => Task.FromResult(Kills++ == Conflicts);
    }
}
