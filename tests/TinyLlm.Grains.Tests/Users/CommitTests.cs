using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Users;

public sealed class CommitTests(SharedCluster shared) : IClassFixture<SharedCluster>
{
    private static readonly TimeSpan s_tick = TimeSpan.FromTicks(1);
    private readonly GrainCluster _cluster = shared.Cluster;

    [Fact]
    public async Task Commit_WholeModel_IsListedLeasedAndCounted()
    {
        TestUser user = await _cluster.CreateUserAsync("publisher");

        PublishedVersion version = await user.PublishAsync("Tiny");

        Assert.Equal(("publisher", "Tiny", 1), (version.Owner, version.Model, version.Number));
        Assert.Equal("LlamaForCausalLM", version.Facts.Architecture);
        Assert.Equal((TinyCheckpoint.Vocabulary, TinyCheckpoint.Context), (version.Facts.VocabularySize, version.Facts.ContextLength));
        long bytes = TinyModel.Files.Values.Sum(file => (long)file.Length);
        Assert.Equal((bytes, bytes), (version.Facts.StoredBytes, (await user.Grain.Describe())!.StoredBytes));
        Assert.Equal(version, Assert.Single(await user.Grain.ListModels()));
        Assert.Equal(version, (await user.LeaseAsync("Tiny")).Version);
    }

    [Fact]
    public async Task BeginCommit_WriterHoldsALease_IsRefusedUntilItEnds()
    {
        TestUser user = await _cluster.CreateUserAsync("busy");
        UploadTicket upload = await user.UploadAsync("tiny");
        WriteLease lease = await user.Grain.BeginWrite("tiny", upload.UploadId, "README.md");

        RequestException refusal = await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("tiny", upload.UploadId));
        Assert.True(refusal.RetryAfter > TimeSpan.Zero);
        _cluster.Time.Advance(lease.Lifetime - s_tick);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("tiny", upload.UploadId));
        _cluster.Time.Advance(s_tick); // its holder is taken for dead

        CommitTicket ticket = await user.Grain.BeginCommit("tiny", upload.UploadId);
        Assert.Null(ticket.Published);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.EndWrite(upload.UploadId, lease.LeaseId, 1));
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("tiny", upload.UploadId, "config.json"));
    }

    [Fact]
    public async Task Commit_HundredAtOnce_OnePublishesAndNobodyElseDoes()
    {
        TestUser user = await _cluster.CreateUserAsync("racer");
        UploadTicket upload = await user.UploadAsync("tiny");

        Task<PublishedVersion>[] commits = [.. Enumerable.Range(0, 100).Select(_ => Task.Run(() => user.CommitAsync("tiny", upload.UploadId)))];
        await Task.WhenAll(commits.Select(commit => commit.ContinueWith(_ => { }, TaskScheduler.Default)));

        PublishedVersion[] won = [.. commits.Where(commit => commit.IsCompletedSuccessfully).Select(commit => commit.Result)];
        Assert.NotEmpty(won);
        Assert.Single(won.Distinct());
        Assert.All(commits.Where(commit => commit.IsFaulted), commit => Assert.Equal(RequestError.Conflict, ((RequestException)commit.Exception!.InnerException!).Error));
        Assert.Equal(won[0], Assert.Single(await user.Grain.ListVersions(user.Id, "tiny")));
    }

    [Fact]
    public async Task Commit_Repeated_AnswersTheSameForADay()
    {
        TestUser user = await _cluster.CreateUserAsync("repeater");
        UploadTicket upload = await user.UploadAsync("tiny");
        PublishedVersion version = await user.CommitAsync("tiny", upload.UploadId);
        await user.PublishAsync("tiny");

        PublishedVersion replaced = version with { Current = false };
        Assert.Equal(replaced, await user.CommitAsync("tiny", upload.UploadId));
        Assert.Equal(replaced, await user.Grain.CompleteCommit(upload.UploadId, version.ManifestDigest, version.Facts));
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.AbandonUpload("tiny", upload.UploadId));
        _cluster.Time.Advance(TimeSpan.FromHours(24));
        await user.Grain.BeginUpload("tiny", null); // sweeps
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.BeginCommit("tiny", upload.UploadId));
        Assert.Equal(2, (await user.Grain.ListVersions(user.Id, "tiny")).Length);
    }

    [Fact]
    public async Task BeginCommit_ThatProcessDied_IsTakenOverAfterItsTime()
    {
        TestUser user = await _cluster.CreateUserAsync("taker");
        UploadTicket upload = await user.UploadAsync("tiny");
        CommitTicket dead = await user.Grain.BeginCommit("tiny", upload.UploadId);

        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("tiny", upload.UploadId));
        _cluster.Time.Advance(TimeSpan.FromMinutes(10));
        PublishedVersion version = await user.CommitAsync("tiny", upload.UploadId);

        Assert.Equal(version, await user.CompleteAsync(upload.UploadId, dead)); // it was only slow, and learns the same
    }

    [Fact]
    public async Task ReopenUpload_AfterAFault_CanBeWrittenAndCommitted()
    {
        TestUser user = await _cluster.CreateUserAsync("reopener");
        Dictionary<string, byte[]> incomplete = new(TinyModel.Files);
        incomplete.Remove("tokenizer.json");
        UploadTicket upload = await user.UploadAsync("tiny", incomplete);
        CommitClaim claim = CommitClaim.New(silo: null);
        await user.Grain.BeginCommit("tiny", upload.UploadId, claim);

        await user.Grain.ReopenUpload(upload.UploadId, claim.CommitId);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.CompleteCommit(upload.UploadId, "00", null!));
        await user.WriteAsync("tiny", upload.UploadId, "tokenizer.json", TinyModel.Files["tokenizer.json"]);

        Assert.Equal(1, (await user.CommitAsync("tiny", upload.UploadId)).Number);
    }

    /// <summary>Once a commit whose first call had taken effect, and whose answer was lost, stood in its own way for ten minutes.</summary>
    [Fact]
    public async Task BeginCommit_SameClaimAgain_AnswersTheSameAndNobodyElseBegins()
    {
        TestUser user = await _cluster.CreateUserAsync("echo");
        UploadTicket upload = await user.UploadAsync("tiny");
        CommitClaim claim = CommitClaim.New(_cluster.Orleans.Silos[0].SiloAddress);
        CommitTicket first = await user.Grain.BeginCommit("tiny", upload.UploadId, claim);

        CommitTicket again = await user.Grain.BeginCommit("tiny", upload.UploadId, claim);
        Assert.Equal((first.Version, first.Published), (again.Version, again.Published));
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("tiny", upload.UploadId));

        await _cluster.Orleans.DeactivateAsync(user.Grain);
        Assert.Equal(first.Version, (await user.Grain.BeginCommit("tiny", upload.UploadId, claim)).Version);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("tiny", upload.UploadId));
        PublishedVersion version = await user.CompleteAsync(upload.UploadId, again);

        Assert.Equal(version, await user.CompleteAsync(upload.UploadId, first));
        Assert.Equal(version, (await user.Grain.BeginCommit("tiny", upload.UploadId, claim)).Published);
        Assert.Equal(version, Assert.Single(await user.Grain.ListVersions(user.Id, "tiny")));
    }

    /// <summary>Two requests commit one upload at once, and every one of their calls is made twice, as after a lost answer.</summary>
    [Fact]
    public async Task Commit_HundredAtOnceAndEveryCallTwice_OneVersion()
    {
        TestUser user = await _cluster.CreateUserAsync("stutterer");
        UploadTicket upload = await user.UploadAsync("tiny");

        Task<PublishedVersion>[] commits = [.. Enumerable.Range(0, 100).Select(_ => Task.Run(CommitAsync))];
        await Task.WhenAll(commits.Select(commit => commit.ContinueWith(_ => { }, TaskScheduler.Default)));

        PublishedVersion won = Assert.Single(commits.Where(commit => commit.IsCompletedSuccessfully).Select(commit => commit.Result).Distinct());
        Assert.All(commits.Where(commit => commit.IsFaulted), commit => Assert.Equal(RequestError.Conflict, ((RequestException)commit.Exception!.InnerException!).Error));
        Assert.Equal(won, Assert.Single(await user.Grain.ListVersions(user.Id, "tiny")));

        async Task<PublishedVersion> CommitAsync()
        {
            CommitClaim claim = CommitClaim.New(silo: null);
            await user.Grain.BeginCommit("tiny", upload.UploadId, claim);
            CommitTicket ticket = await user.Grain.BeginCommit("tiny", upload.UploadId, claim);
            if (ticket.Published is { } published) return published;
            PublishedVersion version = await user.CompleteAsync(upload.UploadId, ticket);
            return await user.Grain.CompleteCommit(upload.UploadId, version.ManifestDigest, version.Facts);
        }
    }

    /// <summary>The end of a commit that was taken over, told late or twice, is not the end of the one that goes on.</summary>
    [Fact]
    public async Task ReopenAndRejectUpload_OfACommitThatWasTakenOver_ChangeNothing()
    {
        TestUser user = await _cluster.CreateUserAsync("late");
        UploadTicket upload = await user.UploadAsync("tiny");
        CommitClaim slow = CommitClaim.New(silo: null), next = CommitClaim.New(silo: null);
        await user.Grain.BeginCommit("tiny", upload.UploadId, slow);
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        CommitTicket ticket = await user.Grain.BeginCommit("tiny", upload.UploadId, next);

        await user.Grain.ReopenUpload(upload.UploadId, slow.CommitId);
        await user.Grain.RejectUpload(upload.UploadId, slow.CommitId);

        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("tiny", upload.UploadId, "config.json"));
        Assert.Equal(1, (await user.CompleteAsync(upload.UploadId, ticket)).Number);
        await user.Grain.RejectUpload(upload.UploadId, next.CommitId); // it is a version now
        Assert.Single(await user.Grain.ListVersions(user.Id, "tiny"));
    }

    /// <summary>Whoever took over and met the other at the files must not keep the next one out.</summary>
    [Fact]
    public async Task LeaveCommit_ByTheOneThatTookOver_TheNextTakesOver()
    {
        TestUser user = await _cluster.CreateUserAsync("leaver");
        UploadTicket upload = await user.UploadAsync("tiny");
        CommitClaim claim = CommitClaim.New(silo: null);
        await user.Grain.BeginCommit("tiny", upload.UploadId, claim);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("tiny", upload.UploadId));

        await user.Grain.LeaveCommit(upload.UploadId, claim.CommitId);

        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginWrite("tiny", upload.UploadId, "config.json")); // it is closed all the same
        Assert.Equal(1, (await user.CommitAsync("tiny", upload.UploadId)).Number);
    }

    [Fact]
    public async Task RejectUpload_Twice_EndsItOnceAndKeepsNothing()
    {
        TestUser user = await _cluster.CreateUserAsync("rejected");
        UploadTicket upload = await user.UploadAsync("tiny");
        CommitClaim claim = CommitClaim.New(silo: null);
        await user.Grain.BeginCommit("tiny", upload.UploadId, claim);

        await user.Grain.RejectUpload(upload.UploadId, claim.CommitId);
        await user.Grain.RejectUpload(upload.UploadId, claim.CommitId);

        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.GetUpload("tiny", upload.UploadId));
        Assert.Null(user.Files.TryGetLocalFolder(user.Id, upload.Version));
    }

    /// <summary>A call that was on its way for longer than its commit must not close the upload for ten minutes.</summary>
    [Fact]
    public async Task BeginCommit_ArrivesAfterItsCommitEnded_LeavesTheUploadOpen()
    {
        TestUser user = await _cluster.CreateUserAsync("stray");
        UploadTicket upload = await user.UploadAsync("tiny");
        CommitClaim claim = CommitClaim.New(silo: null);
        await user.Grain.BeginCommit("tiny", upload.UploadId, claim);
        await user.Grain.ReopenUpload(upload.UploadId, claim.CommitId);

        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.BeginCommit("tiny", upload.UploadId, claim));

        Assert.Equal(1, (await user.CommitAsync("tiny", upload.UploadId)).Number);
    }

    [Fact]
    public async Task AbandonUpload_WhileBeingCommitted_CommitPublishesNothing()
    {
        TestUser user = await _cluster.CreateUserAsync("abandoner");
        UploadTicket upload = await user.UploadAsync("tiny");
        CommitTicket ticket = await user.Grain.BeginCommit("tiny", upload.UploadId);
        ModelManifest manifest = await user.Files.SealAsync(user.Id, ticket.Version, ticket.Key, TestContext.Current.CancellationToken);

        await user.Grain.AbandonUpload("tiny", upload.UploadId);

        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.CompleteCommit(upload.UploadId, manifest.Digest.Hex, null!));
        Assert.Empty(await user.Grain.ListModels());
        Assert.Null(user.Files.TryGetLocalFolder(user.Id, upload.Version));
    }

    [Fact]
    public async Task Versions_DeletedAndMadeAgain_NeverReuseANumberOrId()
    {
        TestUser user = await _cluster.CreateUserAsync("versioner");
        PublishedVersion first = await user.PublishAsync("tiny"), second = await user.PublishAsync("tiny");
        Assert.Equal((1, 2), (first.Number, second.Number));
        await user.Grain.DeleteVersion("tiny", 2);
        PublishedVersion third = await user.PublishAsync("tiny");
        Assert.Equal(3, third.Number);
        await user.Grain.DeleteModel("tiny");
        Assert.Empty(await user.Grain.ListModels());
        await Refusal.OfAsync(RequestError.NotFound, () => user.LeaseAsync("tiny"));

        PublishedVersion fourth = await user.PublishAsync("TINY"); // the name is free in any case

        Assert.Equal(("TINY", 4), (fourth.Model, fourth.Number));
        Assert.Equal(4, new[] { first, second, third, fourth }.Select(version => version.Version).Distinct().Count());
        Assert.All([first, second, third], version => Assert.Null(user.Files.TryGetLocalFolder(user.Id, version.Version)));
        await user.Grain.DeleteVersion("TINY", 4);
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.ListVersions(user.Id, "TINY"));
    }

    [Fact]
    public async Task Names_DifferingInCaseOnly_AreRefusedAtBeginAndAtCommit()
    {
        TestUser user = await _cluster.CreateUserAsync("speller");
        UploadTicket lower = await user.UploadAsync("tiny"), upper = await user.UploadAsync("Tiny");
        await user.CommitAsync("tiny", lower.UploadId);

        await Refusal.OfAsync(RequestError.NameTaken, () => user.CommitAsync("Tiny", upper.UploadId));
        await Refusal.OfAsync(RequestError.NameTaken, () => user.Grain.BeginUpload("TINY", null));
        await Refusal.OfAsync(RequestError.NotFound, () => user.LeaseAsync("Tiny"));
        await Refusal.OfAsync(RequestError.NotFound, () => user.Grain.DeleteModel("Tiny"));
        Assert.Equal("tiny", Assert.Single(await user.Grain.ListModels()).Model);
        await Refusal.OfAsync(RequestError.Malformed, () => user.Grain.BeginUpload("..", null));
    }
}
