using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sharing;

namespace TinyLlm.Grains.Tests.Sharing;

/// <summary>The index of shared models follows the owner's decisions whatever is lost on the way.</summary>
public sealed class ShareOutboxTests
{
    [Fact]
    public async Task Notice_Lost_IsSentAgainByTheNextActivation()
    {
        LossyIndex network = new();
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Silo = silo => silo.AddIncomingGrainCallFilter(network) });
        TestUser owner = await cluster.CreateUserAsync("owner"), other = await cluster.CreateUserAsync("other");
        await owner.PublishAsync("tiny");
        IShareIndexGrain index = cluster.Client.GetGrain<IShareIndexGrain>(other.Id.Value);

        network.Loses = true;
        await owner.Grain.Grant(new GrantSpec { Model = "tiny", Grantee = other.Id, GranteeName = "other", Rights = ModelRight.Infer });
        Assert.Empty(await index.List());
        Assert.NotNull(await owner.Grain.Lease(other.Id, "tiny", null, ModelRight.Infer)); // the decision holds without the index

        network.Loses = false;
        await cluster.Orleans.DeactivateAsync(owner.Grain);
        await owner.Grain.Describe();
        await UntilAsync(async () => (await index.List()).Length == 1);

        network.Loses = true;
        await owner.Grain.RevokeGrant("tiny", other.Id);
        Assert.Single(await index.List());
        Assert.Empty(await owner.Grain.ListShared(other.Id, ["tiny"])); // and the owner is asked before anybody sees it
        network.Loses = false;
        await cluster.Orleans.DeactivateAsync(owner.Grain);
        await owner.Grain.Describe();
        await UntilAsync(async () => (await index.List()).Length == 0);
    }

    /// <summary>The index took the notice, and its answer was lost: the owner can't know, and sends it again.</summary>
    [Fact]
    public async Task Answer_Lost_TheRepeatChangesNothing()
    {
        LossyIndex network = new() { LosesAnswers = true };
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Silo = silo => silo.AddIncomingGrainCallFilter(network) });
        TestUser owner = await cluster.CreateUserAsync("owner"), other = await cluster.CreateUserAsync("other");
        await owner.PublishAsync("tiny");
        IShareIndexGrain index = cluster.Client.GetGrain<IShareIndexGrain>(other.Id.Value);
        await owner.Grain.Grant(new GrantSpec { Model = "tiny", Grantee = other.Id, GranteeName = "other", Rights = ModelRight.Infer });
        await owner.Grain.RevokeGrant("tiny", other.Id);
        Assert.Single(await index.List()); // the revocation waits behind the grant, for the sake of their order

        // Both are sent again.
        network.LosesAnswers = false;
        int before = network.Applied;
        await cluster.Orleans.DeactivateAsync(owner.Grain);
        await owner.Grain.Describe();
        await UntilAsync(() => Task.FromResult(network.Applied >= before + 2));
        Assert.Empty(await index.List());
    }

    [Fact]
    public async Task Apply_OlderNoticeThatComesLate_ChangesNothing()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser owner = await cluster.CreateUserAsync("owner"), other = await cluster.CreateUserAsync("other");
        IShareIndexGrain index = cluster.Client.GetGrain<IShareIndexGrain>(other.Id.Value);
        ShareNotice shared = new() { Owner = owner.Id, Model = "tiny", IsShared = true, Serial = 1 };
        await index.Apply(shared);
        await index.Apply(shared with { IsShared = false, Serial = 2 });
        await cluster.Orleans.DeactivateAsync(index);
        await index.Apply(shared);
        Assert.Empty(await index.List());
    }

    [Fact]
    public async Task Forget_IndexThatDoesNotAnswer_FailsUntilItDoes_AndLeavesNothing()
    {
        LossyIndex network = new();
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Silo = silo => silo.AddIncomingGrainCallFilter(network) });
        TestUser owner = await cluster.CreateUserAsync("owner"), other = await cluster.CreateUserAsync("other");
        await owner.PublishAsync("tiny");
        await owner.Grain.Grant(new GrantSpec { Model = "tiny", Grantee = other.Id, GranteeName = "other", Rights = ModelRight.Infer });
        network.Loses = true;
        await Refusal.OfAsync(RequestError.NoCapacity, owner.Grain.Forget);
        network.Loses = false;
        Assert.Equal(1, (await owner.Grain.Forget())!.Models);
        Assert.Empty(await cluster.Client.GetGrain<IShareIndexGrain>(other.Id.Value).List());
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        while (!await condition())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    /// <summary>Loses notices to the index, or the answers to them.</summary>
    private sealed class LossyIndex : IIncomingGrainCallFilter
    {
        private int _applied;

        public bool Loses { get; set; }

        public bool LosesAnswers { get; set; }

        /// <summary>Notices that reached the index.</summary>
        public int Applied => Volatile.Read(ref _applied);

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            bool notice = context.Grain is ShareIndexGrain && context.InterfaceMethod?.Name == nameof(IShareIndexGrain.Apply);
            if (notice && Loses) throw new TimeoutException("lost");
            await context.Invoke();
            if (!notice) return;
            Interlocked.Increment(ref _applied);
            if (LosesAnswers) throw new TimeoutException("lost");
        }
    }
}
