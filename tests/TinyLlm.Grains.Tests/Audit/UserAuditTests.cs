using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sharing;
using TinyLlm.Grains.Trust;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Audit;

/// <summary>Every change of a user is in the user's log before it is in force, and what can't be logged doesn't happen.</summary>
public sealed class UserAuditTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Changes_OfEveryKind_AreLoggedInOrderAndVerify()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        IssuedToken token = await alice.Grain.CreateToken(new TokenSpec { Name = "ci", Scopes = TokenScopes.Read });
        await alice.Grain.RevokeToken(token.Id);
        PublishedVersion version = await alice.PublishAsync("tiny");
        await alice.PublishAsync("tiny");
        UploadTicket upload = await alice.Grain.BeginUpload("other", null);
        await alice.Grain.AbandonUpload("other", upload.UploadId);
        await alice.Grain.DeleteVersion("tiny", 1);
        await alice.Grain.DeleteModel("tiny");

        List<AuditEntry> entries = await ReadAsync(cluster, AuditLogId.Of(alice.Id));
        Assert.Equal(
            ["user.created", "token.created", "token.revoked", "upload.begun", "version.committed", "upload.begun", "version.committed", "upload.begun",
                "upload.abandoned", "version.deleted", "model.deleted"],
            entries.Select(entry => entry.Action));
        Assert.Equal(token.Id, entries[1].Subject);
        Assert.Equal("tiny@1", entries[4].Subject);
        Assert.Equal(version.ManifestDigest, entries[4].Details["digest"]);
        await RequireIntactAsync(cluster, AuditLogId.Of(alice.Id));
        Assert.All(entries, entry => Assert.DoesNotContain(alice.Token.Text, System.Text.Encoding.UTF8.GetString(entry.Line.Span), StringComparison.Ordinal));
        Assert.All(entries, entry => Assert.DoesNotContain(token.Text, System.Text.Encoding.UTF8.GetString(entry.Line.Span), StringComparison.Ordinal));
        Assert.Equal(("user.created", alice.Id.Value), Assert.Single((await ReadAsync(cluster, AuditLogId.Operator)).Select(entry => (entry.Action, entry.Subject!))));
    }

    [Fact]
    public async Task Changes_OfRightsKeysAndPolicies_AreLoggedWhereTheyBelong()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice"), carol = await cluster.CreateUserAsync("carol");
        await alice.PublishAsync("tiny");
        using ForeignSigner signer = new();
        int before = (await ReadAsync(cluster, AuditLogId.Of(alice.Id))).Count, operators = (await ReadAsync(cluster, AuditLogId.Operator)).Count;
        await alice.Grain.Grant(new GrantSpec { Model = "tiny", Grantee = carol.Id, GranteeName = "carol", Rights = ModelRight.Infer });
        await alice.Grain.RevokeGrant("tiny", carol.Id);
        await alice.Grain.RotateToken(new TokenRotation
        {
            TokenId = alice.Token.Id, Grace = TimeSpan.Zero, Asking = new TokenSpec { Name = "first", Scopes = TokenScopeNames.EveryUserScope },
        });
        await alice.Grain.RotateKey();
        await alice.Grain.SetCurrent("tiny", 1);
        await alice.Grain.SetKeptVersions("tiny", 3);
        await alice.Grain.SetKeepAlive("tiny", KeepAlive.Pinned);
        TrustedKey trusted = await alice.Grain.AddTrustedKey("upstream", signer.PublicKey);
        await alice.Grain.RequireTrustedSignature(true);
        await alice.Grain.RemoveTrustedKey(trusted.Id);
        await alice.Grain.ReportFailedAuthentications(7, cluster.Time.GetUtcNow());
        await alice.Grain.SetQuota(new UserQuota { Models = 5 });
        await cluster.Client.GetGrain<IHostKeysGrain>(IHostKeysGrain.Key).Rotate();

        List<AuditEntry> entries = (await ReadAsync(cluster, AuditLogId.Of(alice.Id)))[before..];
        Assert.Equal(
            ["grant.given", "grant.revoked", "token.rotated", "key.rotated", "version.chosen", "retention.changed", "keep_alive.changed", "trusted_key.added", "signature_policy.changed",
                "trusted_key.removed", "authentication.failed", "quota.changed"],
            entries.Select(entry => entry.Action));
        Assert.Equal((carol.Id.Value, "Infer"), (entries[0].Details["to"], entries[0].Details["rights"]));
        Assert.Equal("7", entries[10].Details["count"]);
        Assert.Equal(["quota.changed", "key.rotated"], (await ReadAsync(cluster, AuditLogId.Operator))[operators..].Select(entry => entry.Action));
        await RequireIntactAsync(cluster, AuditLogId.Of(alice.Id));
        await RequireIntactAsync(cluster, AuditLogId.Operator);
    }

    [Fact]
    public async Task Forget_User_RemovesTheUsersLogAndTheOperatorsTellsIt()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.Grain.Forget();
        Assert.Empty(await ReadAsync(cluster, AuditLogId.Of(alice.Id)));
        List<AuditEntry> entries = await ReadAsync(cluster, AuditLogId.Operator);
        Assert.Contains("user.deleting", entries.Select(entry => entry.Action));
        Assert.All(entries, entry => Assert.Equal(alice.Id.Value, entry.Subject));
        await RequireIntactAsync(cluster, AuditLogId.Operator);
    }

    /// <summary>Where the audit log's folder was there is a file: every append fails as a broken disk's would.</summary>
    [Fact]
    public async Task AuditStoreFails_EveryChange_IsRefusedAndNothingChanged()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        UploadTicket open = await alice.UploadAsync("other");
        UploadTicket committing = await alice.UploadAsync("third");
        CommitTicket commit = await alice.Grain.BeginCommit("third", committing.UploadId);
        TestUser carol = await cluster.CreateUserAsync("carol");
        GrantSpec grant = new() { Model = "tiny", Grantee = carol.Id, GranteeName = "carol", Rights = ModelRight.Infer };
        await alice.Grain.Grant(grant);
        using ForeignSigner upstream = new(), other = new();
        TrustedKey trusted = await alice.Grain.AddTrustedKey("upstream", upstream.PublicKey);
        UserQuota? quota = (await alice.Grain.Describe())!.Quota;
        byte[] state = await StateAsync(cluster, alice);
        int logged = (await ReadAsync(cluster, AuditLogId.Of(alice.Id))).Count;

        string folder = Path.Combine(cluster.DataPath, "objects", "audit");
        Directory.Move(folder, folder + "-aside");
        await File.WriteAllTextAsync(folder, "", Cancel);
        (string Name, Func<Task> Change)[] changes =
        [
            ("create token", () => alice.Grain.CreateToken(new TokenSpec { Name = "ci", Scopes = TokenScopes.Read })),
            ("revoke token", () => alice.Grain.RevokeToken(alice.Token.Id)),
            ("rotate token", () => alice.Grain.RotateToken(new TokenRotation
            {
                TokenId = alice.Token.Id, Grace = TimeSpan.Zero, Asking = new TokenSpec { Name = "first", Scopes = TokenScopeNames.EveryUserScope },
            })),
            ("rotate key", () => alice.Grain.RotateKey()),
            ("set quota", () => alice.Grain.SetQuota(new UserQuota { Models = 1 })),
            ("grant", () => alice.Grain.Grant(grant with { Rights = ModelRight.Download })),
            ("revoke grant", () => alice.Grain.RevokeGrant("tiny", carol.Id)),
            ("trust", () => alice.Grain.AddTrustedKey("other", other.PublicKey)),
            ("trust no more", () => alice.Grain.RemoveTrustedKey(trusted.Id)),
            ("require trust", () => alice.Grain.RequireTrustedSignature(true)),
            ("choose version", () => alice.Grain.SetCurrent("tiny", 1)),
            ("keep versions", () => alice.Grain.SetKeptVersions("tiny", 1)),
            ("keep alive", () => alice.Grain.SetKeepAlive("tiny", KeepAlive.Pinned)),
            ("rotate host key", () => cluster.Client.GetGrain<IHostKeysGrain>(IHostKeysGrain.Key).Rotate()),
            ("begin upload", () => alice.Grain.BeginUpload("new", null)),
            ("commit", () => alice.CompleteAsync(committing.UploadId, commit)),
            ("abandon", () => alice.Grain.AbandonUpload("other", open.UploadId)),
            ("delete version", () => alice.Grain.DeleteVersion("tiny", 1)),
            ("delete model", () => alice.Grain.DeleteModel("tiny")),
            ("forget", () => alice.Grain.Forget()),
            ("create user", () => cluster.CreateUserAsync("bob")),
        ];
        foreach ((string name, Func<Task> change) in changes)
        {
            RequestException refused = await Assert.ThrowsAsync<RequestException>(change);
            Assert.True(refused.Error == RequestError.AuditUnavailable, $"{name}: {refused.Error}");
            Assert.Equal(state, await StateAsync(cluster, alice));
        }
        Assert.NotNull(await alice.Grain.AuthenticateAsync(alice.Token.Text));
        Assert.Equal(quota, (await alice.Grain.Describe())!.Quota);
        Assert.Equal(grant, Assert.Single(await alice.Grain.ListGrants("tiny")).Spec);
        Assert.Equal("tiny", Assert.Single(await alice.Grain.ListModels()).Model);

        File.Delete(folder);
        Directory.Move(folder + "-aside", folder);
        await alice.Grain.DeleteModel("tiny");
        Assert.Empty(await alice.Grain.ListModels());
        Assert.Equal(logged + 1, (await ReadAsync(cluster, AuditLogId.Of(alice.Id))).Count);
        await RequireIntactAsync(cluster, AuditLogId.Of(alice.Id));
    }

    /// <summary>The entry was durable, and the state's write failed.</summary>
    [Fact]
    public async Task StateWriteFails_TheNextActivation_LogsThatTheChangeWasNotApplied()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        string name = $"user-user/{alice.Id}.json";
        StoredObject stored = (await cluster.GrainState.GetAsync(name, Cancel))!;
        await cluster.GrainState.PutAsync(name, stored.Bytes, PutCondition.Always, Cancel); // the same bytes, as another writer's
        await Assert.ThrowsAnyAsync<Exception>(() => alice.Grain.CreateToken(new TokenSpec { Name = "lost", Scopes = TokenScopes.Read }));

        Assert.Single(await alice.Grain.ListTokens());
        await alice.Grain.CreateToken(new TokenSpec { Name = "kept", Scopes = TokenScopes.Read });
        List<AuditEntry> entries = await ReadAsync(cluster, AuditLogId.Of(alice.Id));
        Assert.Equal(["user.created", "token.created", "audit.not_applied", "token.created"], entries.Select(entry => entry.Action));
        Assert.Equal("2", entries[2].Subject);
        await RequireIntactAsync(cluster, AuditLogId.Of(alice.Id));
    }

    private static async Task<byte[]> StateAsync(GrainCluster cluster, TestUser user) =>
        (await cluster.GrainState.GetAsync($"user-user/{user.Id}.json", Cancel))!.Bytes.ToArray();

    private static async Task<List<AuditEntry>> ReadAsync(GrainCluster cluster, AuditLogId log)
    {
        List<AuditEntry> entries = [];
        await foreach (AuditEntry entry in new AuditReader(cluster.Objects).ReadAsync(log, 1, Cancel)) entries.Add(entry);
        return entries;
    }

    private static async Task RequireIntactAsync(GrainCluster cluster, AuditLogId log)
    {
        AuditVerifier verifier = new(log, GrainCluster.AuditPublicKey, held: null);
        await foreach (ReadOnlyMemory<byte> line in new AuditReader(cluster.Objects).ReadLinesAsync(log, 1, Cancel)) verifier.Add(line);
        Assert.Equal(AuditFault.None, verifier.Finish().Fault);
    }
}
