using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Forgetting;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>What an owner deletes leaves every silo's memory, whatever it was doing.</summary>
public sealed class DropTests
{
    /// <summary>One of which the prefix cache keeps two blocks.</summary>
    private static readonly SessionRequest s_longPrompt = TestSession.Greedy(1) with { PromptIds = [.. Enumerable.Repeat(3, 40)] };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DeleteUser_OnEverySilo_NothingIsResidentAndTheReceiptVerifies()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo(), new TestSilo(), new TestSilo { Device = null });
        TestUser alice = await cluster.CreateUserAsync("alice"), bob = await cluster.CreateUserAsync("bob");
        foreach (string model in (string[])["a", "b", "c", "d"])
        {
            await alice.PublishAsync(model);
            for (int replica = 0; replica < 2; replica++) await UseAsync(cluster, alice, model, replica);
        }
        await bob.PublishAsync("kept");
        await UseAsync(cluster, bob, "kept", 0);
        ModelLease shared = cluster.Sign((await bob.LeaseAsync("kept")).Lease with { Caller = alice.Id });
        await cluster.GenerateAsync(shared, s_longPrompt); // alice's text, on bob's model
        ModelLease own = (await bob.LeaseAsync("kept")).Lease;
        await cluster.GenerateAsync(own, s_longPrompt);
        Assert.True((await MeasureAsync(cluster, alice.Id)).Sum(bytes => bytes.PrefixBytes) > 0);
        long kept = (await MeasureAsync(cluster, bob.Id)).Sum(bytes => bytes.PrefixBytes);
        Assert.True((await MeasureAsync(cluster, alice.Id)).Count(bytes => bytes.Bytes > 0) >= 2, "the models are to be on two silos at least");

        ForgetReceipt receipt = (await alice.Grain.Forget())!;
        Assert.All(await MeasureAsync(cluster, alice.Id), bytes => Assert.Equal(ResidentBytes.None, bytes));
        ResidentBytes bobs = Assert.Single(await MeasureAsync(cluster, bob.Id), bytes => bytes.Models == 1);
        Assert.Equal(kept / 2, bobs.PrefixBytes); // bob's own text stays, alice's on the same model is gone
        Assert.Equal(1, Enumerable.Range(0, 2).Sum(silo => cluster.ModelHost(silo).Snapshot().Models));

        Assert.True(receipt.Receipt.TryVerify(GrainCluster.AuditPublicKey, out ForgetReceiptText? text));
        Assert.Equal(("user", "alice", alice.Id.Value, 4, 3, 0), (text.Kind, text.Name, text.Owner, text.Versions.Length, text.Silos, text.SilosSilent));
        Assert.True(text.StoredBytes > 0);
        Assert.Empty(text.Retained);
    }

    /// <summary>An answer that runs is cut, also when its reader has stopped reading, and the weights go with it.</summary>
    [Fact]
    public async Task DeleteModel_WhileItAnswers_CutsTheAnswerAndDropsTheWeights()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        ModelLease lease = (await alice.LeaseAsync("tiny")).Lease;
        await using IAsyncEnumerator<SessionEvent> events = cluster.Session(lease).Generate(lease, TestSession.Greedy(100), Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await events.MoveNextAsync());
        Assert.IsType<SessionAdmitted>(events.Current);

        SignedReceipt? receipt = await alice.Grain.DeleteModel("tiny");
        Assert.True(receipt!.TryVerify(GrainCluster.AuditPublicKey, out ForgetReceiptText? text));
        Assert.Equal(("model", "alice/tiny"), (text.Kind, text.Name));
        await Eventually.TrueAsync(async () => await cluster.ModelHost().MeasureAsync(alice.Id) == ResidentBytes.None);
        Assert.Equal(0, cluster.Loop().Snapshot().RunningSequences);
        SessionRefused refused = Assert.IsType<SessionRefused>(Assert.Single(await cluster.GenerateAsync(lease, TestSession.Greedy(2)))); // the lease is good for a minute
        Assert.Equal(RequestError.NotFound, refused.Reason.Error);
    }

    /// <summary>What the storage account keeps by itself is not in the host's power: the receipt names it, and until when.</summary>
    [Fact]
    public async Task DeleteModel_StorageThatRetains_IsNamedInTheReceipt()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(
            new TestSilo { Silo = silo => silo.Services.Configure<RetentionOptions>(options => (options.Days, options.What) = (14, "soft-deleted blobs")) });
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        SignedReceipt? receipt = await alice.Grain.DeleteModel("tiny");
        Assert.True(receipt!.TryVerify(GrainCluster.AuditPublicKey, out ForgetReceiptText? text));
        Assert.Equal([new RetainedCopy("soft-deleted blobs", cluster.Time.GetUtcNow().AddDays(14))], text.Retained);
    }

    [Fact]
    public async Task DeleteVersion_OfTwo_TheOtherStays()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        await UseAsync(cluster, alice, "tiny", 0);
        await alice.PublishAsync("tiny");
        await UseAsync(cluster, alice, "tiny", 0);
        Assert.Equal(2, (await cluster.ModelHost().MeasureAsync(alice.Id)).Models);
        Assert.NotNull(await alice.Grain.DeleteVersion("tiny", 1));
        Assert.Equal(1, (await cluster.ModelHost().MeasureAsync(alice.Id)).Models);
        await UseAsync(cluster, alice, "tiny", 0);
    }

    /// <summary>Dropped while it is being loaded: the load ends, the weights go, and whoever waited is told that there is no such model.</summary>
    [Fact]
    public async Task Drop_WhileLoading_LeavesNothing()
    {
        await using TestHost host = new(1 << 30);
        VersionAddress address = await host.StoreAsync();
        for (int i = 0; i < 50; i++)
        {
            Task<ResidentHold> acquiring = host.Host.AcquireAsync(address, Cancel);
            await host.Host.DropAsync(address.Owner, null);
            try
            {
                (await acquiring).Dispose(); // it was there before the drop
            }
            catch (RequestException refusal)
            {
                Assert.Equal(RequestError.NotFound, refusal.Error);
            }
            await Eventually.TrueAsync(async () => await host.Host.MeasureAsync(address.Owner) == ResidentBytes.None && host.Loop.Budget.ReservedBytes == 0);
        }
    }

    private static async Task UseAsync(GrainCluster cluster, TestUser user, string model, int replica)
    {
        ModelLease lease = (await user.LeaseAsync(model)).Lease;
        Assert.Equal(TestSession.Answer(2), TestSession.Text(await cluster.GenerateAsync(lease, TestSession.Greedy(2), replica)));
    }

    private static Task<ResidentBytes[]> MeasureAsync(GrainCluster cluster, UserId owner) => Task.WhenAll(
        cluster.Orleans.Silos.Select(silo => cluster.Client.GetGrain<IResidencyGrain>(silo.SiloAddress.ToParsableString()).Measure(owner)));
}
