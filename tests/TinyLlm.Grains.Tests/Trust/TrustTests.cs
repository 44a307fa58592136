using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Trust;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Trust;

/// <summary>Whose signatures count is the owner's decision, at each commit and ever after.</summary>
public sealed class TrustTests : IAsyncLifetime, IDisposable
{
    private readonly ForeignSigner _signer = new();
    private GrainCluster _cluster = null!;

    public async ValueTask InitializeAsync() => _cluster = await GrainCluster.StartAsync(new TestSilo { Limits = limits => limits.MaxTrustedKeys = 2 });

    [Fact]
    public async Task Commit_SignedByATrustedKey_IsTrustedAsLongAsTheKeyIs()
    {
        TestUser user = await _cluster.CreateUserAsync("signed");
        TrustedKey key = await user.Grain.AddTrustedKey("upstream", _signer.PublicKey);
        Assert.Equal(_signer.Id, key.Id);

        Assert.True((await user.PublishAsync("tiny", Signed())).HasTrustedSignature);
        await _cluster.Orleans.DeactivateAsync(user.Grain);
        Assert.True(Assert.Single(await user.Grain.ListModels()).HasTrustedSignature);
        await user.Grain.RemoveTrustedKey(key.Id);

        PublishedVersion distrusted = Assert.Single(await user.Grain.ListModels());
        Assert.Equal((false, new SignatureFacts { Key = _signer.Id, IsVerified = true }), (distrusted.HasTrustedSignature, distrusted.Facts.Signature));
        await user.Grain.AddTrustedKey("again", _signer.PublicKey);
        Assert.True(Assert.Single(await user.Grain.ListModels()).HasTrustedSignature);
    }

    [Fact]
    public async Task Commit_SignedByAnybody_IsTakenAndNeverTrustedAfterwards()
    {
        TestUser user = await _cluster.CreateUserAsync("anybody");

        PublishedVersion version = await user.PublishAsync("tiny", Signed());

        Assert.Equal((false, new SignatureFacts { Key = _signer.Id }), (version.HasTrustedSignature, version.Facts.Signature));
        await user.Grain.AddTrustedKey("late", _signer.PublicKey);
        Assert.False(Assert.Single(await user.Grain.ListModels()).HasTrustedSignature); // nobody has verified it
        Assert.Null((await user.PublishAsync("plain")).Facts.Signature);
    }

    [Fact]
    public async Task Commit_TrustIsRequired_NeedsASignatureByATrustedKey()
    {
        TestUser user = await _cluster.CreateUserAsync("strict");
        Assert.True((await user.Grain.RequireTrustedSignature(true)).RequireTrustedSignature);

        await RefuseAsync(user, "signature_missing", TinyModel.Files);
        await RefuseAsync(user, "signature_untrusted", Signed());
        TrustedKey key = await user.Grain.AddTrustedKey("upstream", _signer.PublicKey);
        Assert.Equal(1, (await user.PublishAsync("tiny", Signed())).Number);

        // The key is distrusted while a commit is under way: what it found then no longer counts.
        UploadTicket upload = await user.UploadAsync("tiny", Signed());
        CommitTicket ticket = await user.Grain.BeginCommit("tiny", upload.UploadId);
        Assert.Single(ticket.TrustedKeys);
        await user.Grain.RemoveTrustedKey(key.Id);
        RequestException refusal = await Refusal.OfAsync(RequestError.ModelInvalid, () => user.CompleteAsync(upload.UploadId, ticket));
        Assert.Equal(("signature_untrusted", "model.sig"), (refusal.Detail, refusal.FileName));

        await user.Grain.RequireTrustedSignature(false);
        Assert.Equal(2, (await user.CompleteAsync(upload.UploadId, ticket)).Number); // a refused one took no number
    }

    [Fact]
    public async Task TrustedKeys_AddedAndRemoved_AreBoundedListedAndTheUsersOwn()
    {
        TestUser user = await _cluster.CreateUserAsync("keeper"), other = await _cluster.CreateUserAsync("other");
        using ForeignSigner second = new(), third = new();
        await user.Grain.AddTrustedKey("first", _signer.PublicKey);
        await Refusal.OfAsync(RequestError.Conflict, () => user.Grain.AddTrustedKey("twice", _signer.PublicKey));
        await Refusal.OfAsync(RequestError.Malformed, () => user.Grain.AddTrustedKey("private", SigningKey.NewText()));
        _cluster.Time.Advance(TimeSpan.FromSeconds(1));
        await user.Grain.AddTrustedKey("second", second.PublicKey.Replace("\n", "\r\n", StringComparison.Ordinal));
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => user.Grain.AddTrustedKey("third", third.PublicKey));

        TrustPolicy trust = await user.Grain.GetTrust();
        Assert.Equal([("first", _signer.Id), ("second", second.Id)], trust.Keys.Select(key => (key.Name, key.Id)));
        Assert.False(trust.RequireTrustedSignature);
        await Refusal.OfAsync(RequestError.NotFound, () => other.Grain.RemoveTrustedKey(_signer.Id));
        Assert.Empty((await other.Grain.GetTrust()).Keys);
        Assert.False((await other.PublishAsync("tiny", Signed())).HasTrustedSignature); // another user's trust is not theirs
    }

    [Fact]
    public async Task Trust_EveryChange_IsInTheAuditLog()
    {
        TestUser user = await _cluster.CreateUserAsync("logged");
        await user.Grain.AddTrustedKey("upstream", _signer.PublicKey);
        await user.Grain.RequireTrustedSignature(true);
        await user.Grain.RemoveTrustedKey(_signer.Id);

        List<AuditEntry> entries = [];
        await foreach (AuditEntry entry in new AuditReader(_cluster.Objects).ReadAsync(AuditLogId.Of(user.Id), 1, TestContext.Current.CancellationToken)) entries.Add(entry);
        Assert.Equal(
            [("trusted_key.added", _signer.Id), ("signature_policy.changed", user.Id.Value), ("trusted_key.removed", _signer.Id)],
            entries.Skip(1).Select(entry => (entry.Action, entry.Subject!)));
        Assert.Equal("true", entries[2].Details["require_trusted_signature"]);
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        Dispose();
    }

    public void Dispose() => _signer.Dispose();

    private Dictionary<string, byte[]> Signed() => new(TinyModel.Files) { ["model.sig"] = _signer.Sign(TinyModel.Files) };

    private static async Task RefuseAsync(TestUser user, string code, IReadOnlyDictionary<string, byte[]> files)
    {
        UploadTicket upload = await user.UploadAsync("tiny", files);
        RequestException refusal = await Refusal.OfAsync(RequestError.ModelInvalid, () => user.CommitAsync("tiny", upload.UploadId));
        Assert.Equal((code, "model.sig"), (refusal.Detail, refusal.FileName));
        await user.Grain.AbandonUpload("tiny", upload.UploadId);
    }
}
