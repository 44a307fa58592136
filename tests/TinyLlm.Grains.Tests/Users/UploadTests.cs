using System.Net;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Users;

public sealed class UploadTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private static readonly TimeSpan s_tick = TimeSpan.FromTicks(1);
    private readonly GrainCluster _cluster = shared.Cluster;

    [Fact]
    public async Task BeginUpload_SameKey_AnswersTheSameUpload()
    {
        TestUser user = await _cluster.CreateUserAsync("keys");

        UploadTicket first = await user.Grain.BeginUpload("tiny", "key");

        UploadTicket again = await user.Grain.BeginUpload("tiny", "key");
        Assert.Equal((first.UploadId, first.Version), (again.UploadId, again.Version));
        await Refusal.OfAsync(RequestError.IdempotencyKeyReused, () => user.Grain.BeginUpload("other", "key"));
        Assert.NotEqual(first.UploadId, (await user.Grain.BeginUpload("tiny", null)).UploadId);
        Assert.NotEqual(first.UploadId, (await user.Grain.BeginUpload("tiny", "another")).UploadId);
    }

    /// <summary>For a day, the key of a committed upload led to a version that had been deleted, and the model could not be uploaded again.</summary>
    [Fact]
    public async Task BeginUpload_KeyOfADeletedVersion_BeginsAnew()
    {
        TestUser user = await _cluster.CreateUserAsync("again");
        UploadTicket first = await user.UploadAsync("tiny", idempotencyKey: "content");
        await user.CommitAsync("tiny", first.UploadId);
        Assert.Equal(first.UploadId, (await user.Grain.BeginUpload("tiny", "content")).UploadId);
        await user.Grain.DeleteModel("tiny");

        UploadTicket second = await user.UploadAsync("tiny", idempotencyKey: "content");

        Assert.NotEqual(first.UploadId, second.UploadId);
        Assert.Equal(2, (await user.CommitAsync("tiny", second.UploadId)).Number);
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.BeginCommit("tiny", first.UploadId));
    }

    [Fact]
    public async Task BeginWrite_LeaseHeld_ExcludesOthersFromThatFileAlone()
    {
        TestUser user = await _cluster.CreateUserAsync("writers");
        string upload = (await user.Grain.BeginUpload("tiny", null)).UploadId;

        WriteLease held = await user.Grain.BeginWrite("tiny", upload, "config.json");

        RequestException refusal = await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("tiny", upload, "config.json"));
        Assert.Equal("config.json", refusal.FileName);
        await user.Grain.BeginWrite("tiny", upload, "tokenizer.json");
        await Refusal.OfAsync(RequestError.Malformed, () => user.Grain.BeginWrite("tiny", upload, "../config.json"));
        await user.Grain.EndWrite(upload, held.LeaseId, 7);
        await user.Grain.BeginWrite("tiny", upload, "config.json");
        Assert.Equal("config.json", Assert.Single((await user.Grain.GetUpload("tiny", upload)).Files));
    }

    [Fact]
    public async Task WriteLease_RenewedInTime_LivesOnAndElseIsLost()
    {
        TestUser user = await _cluster.CreateUserAsync("renewers");
        string upload = (await user.Grain.BeginUpload("tiny", null)).UploadId;
        WriteLease lease = await user.Grain.BeginWrite("tiny", upload, "config.json");

        _cluster.Time.Advance(lease.Lifetime - s_tick);
        await user.Grain.RenewWrite(upload, lease.LeaseId);
        _cluster.Time.Advance(lease.Lifetime - s_tick);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("tiny", upload, "config.json"));
        _cluster.Time.Advance(s_tick);

        WriteLease next = await user.Grain.BeginWrite("tiny", upload, "config.json");
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.RenewWrite(upload, lease.LeaseId));
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.EndWrite(upload, lease.LeaseId, 1));
        await user.Grain.RenewWrite(upload, next.LeaseId);
    }

    /// <summary>Once a minute's lease of a writer that had died with its process kept its client's second attempt out, and a dead commit for ten.</summary>
    [Fact]
    public async Task BeginWriteAndCommit_SiloOfTheHolderIsGone_AreFreeAgain()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync(new TestSilo { Device = null }, new TestSilo { Core = false, Device = null });
        TestUser user = await cluster.CreateUserAsync("orphans");
        string written = (await user.Grain.BeginUpload("written", null)).UploadId, committed = (await user.Grain.BeginUpload("committed", null)).UploadId;
        SiloAddress holder = cluster.Orleans.Silos[1].SiloAddress, other = cluster.Orleans.Silos[0].SiloAddress;
        await user.Grain.BeginWrite("written", written, "config.json", holder);
        await user.Grain.BeginCommit("committed", committed, holder);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("written", written, "config.json", other));
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("committed", committed, other));

        await cluster.Orleans.StopSiloAsync(cluster.Orleans.Silos[1]);
        ISiloStatusOracle silos = cluster.Services(0).GetRequiredService<ISiloStatusOracle>();
        await Eventually.TrueAsync(() => silos.IsDeadSilo(holder)); // the user's silo hears of it a moment later

        await user.Grain.BeginWrite("written", written, "config.json", other);
        await user.Grain.BeginCommit("committed", committed, other);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("committed", committed, other)); // held by one that lives
    }

    /// <summary>Once a file that was being sent when the owner's silo was replaced had to be sent on by a second request.</summary>
    [Fact]
    public async Task WriteLease_ActivationEnded_GoesOn()
    {
        TestUser user = await _cluster.CreateUserAsync("moved");
        string upload = (await user.Grain.BeginUpload("tiny", null)).UploadId;
        WriteLease lease = await user.Grain.BeginWrite("tiny", upload, "config.json", _cluster.Orleans.Silos[0].SiloAddress);
        _cluster.Time.Advance(lease.Lifetime - s_tick);

        await _cluster.Orleans.DeactivateAsync(user.Grain);

        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("tiny", upload, "config.json"));
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("tiny", upload));
        _cluster.Time.Advance(lease.Lifetime - s_tick); // a lifetime of its own in the new activation
        await user.Grain.RenewWrite(upload, lease.LeaseId);
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        await user.Grain.EndWrite(upload, lease.LeaseId, 7);
        await user.Grain.BeginWrite("tiny", upload, "config.json");
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.RenewWrite(upload, lease.LeaseId));
    }

    [Fact]
    public async Task WriteLease_ActivationEndedAndHolderSilent_IsLost()
    {
        TestUser user = await _cluster.CreateUserAsync("silent");
        string upload = (await user.Grain.BeginUpload("tiny", null)).UploadId;
        WriteLease lease = await user.Grain.BeginWrite("tiny", upload, "config.json");

        await _cluster.Orleans.DeactivateAsync(user.Grain);
        Assert.Empty((await user.Grain.GetUpload("tiny", upload)).Files); // the lifetime counts from here
        _cluster.Time.Advance(lease.Lifetime);

        await user.Grain.BeginWrite("tiny", upload, "config.json");
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.RenewWrite(upload, lease.LeaseId));
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.EndWrite(upload, lease.LeaseId, 7));
    }

    /// <summary>After a restart nobody knows the silo that a lease was given to: it would hold its own client's second attempt up for a minute.</summary>
    [Fact]
    public async Task WriteLease_HolderOfAnEarlierCluster_IsGone()
    {
        TestUser user = await _cluster.CreateUserAsync("earlier");
        string upload = (await user.Grain.BeginUpload("tiny", null)).UploadId;
        await user.Grain.BeginWrite("tiny", upload, "config.json", SiloAddress.New(IPAddress.Loopback, 1, 1));

        await user.Grain.BeginWrite("tiny", upload, "config.json", _cluster.Orleans.Silos[0].SiloAddress);

        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("tiny", upload, "config.json"));
    }

    [Fact]
    public async Task BeginWrite_RepeatedWithItsClaim_AnswersTheSameLease()
    {
        TestUser user = await _cluster.CreateUserAsync("claimer");
        string upload = (await user.Grain.BeginUpload("tiny", null)).UploadId;
        WriteClaim claim = WriteClaim.New(silo: null);

        WriteLease first = await user.Grain.BeginWrite("tiny", upload, "config.json", claim);
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        WriteLease again = await user.Grain.BeginWrite("tiny", upload, "config.json", claim);

        Assert.Equal((first.LeaseId, first.Version), (again.LeaseId, again.Version));
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("tiny", upload, "config.json"));
        await user.Grain.EndWrite(upload, first.LeaseId, 7);
        await user.Grain.BeginWrite("tiny", upload, "config.json");
    }

    /// <summary>Once a repeat, after the first answer was lost with its process, met the same refusal as a lease that was lost.</summary>
    [Fact]
    public async Task EndWrite_RepeatedAfterItsAnswerWasLost_ChangesNothing()
    {
        TestUser user = await _cluster.CreateUserAsync("repeater");
        string upload = (await user.Grain.BeginUpload("tiny", null)).UploadId;
        WriteLease lease = await user.Grain.BeginWrite("tiny", upload, "config.json");
        await user.Grain.EndWrite(upload, lease.LeaseId, 7);

        await user.Grain.EndWrite(upload, lease.LeaseId, 7);
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        await user.Grain.EndWrite(upload, lease.LeaseId, 7);

        WriteLease next = await user.Grain.BeginWrite("tiny", upload, "config.json");
        await user.Grain.EndWrite(upload, lease.LeaseId, 7); // nobody has written since
        await user.Grain.EndWrite(upload, next.LeaseId, 9);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.EndWrite(upload, lease.LeaseId, 7));
    }

    [Fact]
    public async Task AbandonUpload_WhileSomebodyWrites_RemovesLateBytesToo()
    {
        TestUser user = await _cluster.CreateUserAsync("late");
        UploadTicket upload = await user.Grain.BeginUpload("tiny", null);
        WriteLease lease = await user.Grain.BeginWrite("tiny", upload.UploadId, "config.json");

        await user.Grain.AbandonUpload("tiny", upload.UploadId);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.RenewWrite(upload.UploadId, lease.LeaseId));
        await user.Files.AppendAsync(
            user.Id, lease.Version, ModelFileName.Parse("config.json"), 0, new MemoryStream([1, 2, 3]), 100, null, lease.Key, TestContext.Current.CancellationToken);
        Assert.NotNull(user.Files.TryGetLocalFolder(user.Id, upload.Version)); // a block that was under way
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        Assert.Empty(await user.Grain.ListModels());

        Assert.Null(user.Files.TryGetLocalFolder(user.Id, upload.Version));
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.GetUpload("tiny", upload.UploadId));
    }

    [Fact]
    public async Task Sweep_ExpiredUpload_RemovesItsBytes()
    {
        TestUser user = await _cluster.CreateUserAsync("sweeper");
        UploadTicket old = await user.UploadAsync("tiny");
        Assert.NotNull(user.Files.TryGetLocalFolder(user.Id, old.Version));
        Assert.NotEqual(0, (await user.Grain.Describe())!.StoredBytes);

        _cluster.Time.Advance(TimeSpan.FromDays(1) - s_tick);
        Assert.Equal(old.UploadId, (await user.Grain.GetUpload("tiny", old.UploadId)).UploadId);
        _cluster.Time.Advance(s_tick);
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.GetUpload("tiny", old.UploadId));
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.BeginCommit("tiny", old.UploadId));
        await user.Grain.BeginUpload("tiny", null);

        Assert.Null(user.Files.TryGetLocalFolder(user.Id, old.Version));
        Assert.Equal(0, (await user.Grain.Describe())!.StoredBytes);
    }

    [Fact]
    public async Task EveryCall_AnothersUploadOrModelName_IsNotFound()
    {
        TestUser alice = await _cluster.CreateUserAsync("up-alice"), bob = await _cluster.CreateUserAsync("up-bob");
        string upload = (await alice.Grain.BeginUpload("tiny", null)).UploadId;

        RequestException others = await Refusal.OfAsync(RequestError.NotFound, () => bob.Grain.GetUpload("tiny", upload));
        RequestException missing = await Refusal.OfAsync(RequestError.NotFound, () => bob.Grain.GetUpload("tiny", "up_missing"));
        Assert.Equal(Refusal.Seen(missing), Refusal.Seen(others));
        await Refusal.OfAsync(RequestError.NotFound, () => alice.Grain.GetUpload("other", upload));
        await Refusal.OfAsync(RequestError.NotFound, () => bob.Grain.AbandonUpload("tiny", upload));
        await alice.Grain.GetUpload("tiny", upload);
    }
}
