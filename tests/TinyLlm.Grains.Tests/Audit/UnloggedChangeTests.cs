using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sharing;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Storage.Tests.Faults;

namespace TinyLlm.Grains.Tests.Audit;

/// <summary>
/// While a change waits for the audit log, the calls that interleave see what was in force before it: else what is then refused (503, nothing changed) had
/// turned away a token, cut running answers or moved a bound for as long as the store took to fail.
/// </summary>
public sealed class UnloggedChangeTests
{
    private const string Stream = "s";
    private const long Rate = 1_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Changes =>
        ["revoke token", "rotate token", "set quota", "revoke grant", "replace grant", "delete version", "delete model", "forget"];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Change_ThatTheAuditStoreRefusesInTheEnd_WasNeverInForce(string change)
    {
        await using Ground ground = await Ground.StartAsync();
        Task changing = await ground.StandingAsync(change);
        await ground.NothingChangedAsync();

        // The store fails: where the log's folder was there is a file.
        string folder = Path.Combine(ground.Cluster.DataPath, "objects", "audit");
        Directory.Move(folder, folder + "-aside");
        await File.WriteAllTextAsync(folder, "", Cancel);
        ground.GoOn();
        RequestException refused = await Assert.ThrowsAsync<RequestException>(() => changing);
        Assert.Equal(RequestError.AuditUnavailable, refused.Error);
        await ground.NothingChangedAsync();
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Change_OnceLogged_IsInForce(string change)
    {
        await using Ground ground = await Ground.StartAsync();
        Task changing = await ground.StandingAsync(change);
        await ground.NothingChangedAsync();
        ground.GoOn();
        await changing;
        await Assert.ThrowsAnyAsync<Exception>(ground.NothingChangedAsync);
    }

    /// <summary>Alice, whose token runs an answer, and whose grant runs one of carol's.</summary>
    private sealed class Ground(GrainCluster cluster, TestUser alice, TestUser carol, IssuedToken token, LeaseUse lease) : IAsyncDisposable
    {
        private StandStill? _standing;

        public GrainCluster Cluster => cluster;

        private StreamUse Use => new() { StreamId = Stream, Bearer = new Bearer { TokenId = token.Id, Serial = 0, ExpiresAt = null }, Tokens = 1 };

        public static async Task<Ground> StartAsync()
        {
            GrainCluster cluster = await GrainCluster.StartAsync();
            TestUser alice = await cluster.CreateUserAsync("alice"), carol = await cluster.CreateUserAsync("carol");
            await alice.PublishAsync("tiny");
            await alice.Grain.SetQuota(new UserQuota { RequestsPerMinute = Rate });
            await alice.Grain.Grant(new GrantSpec { Model = "tiny", Grantee = carol.Id, GranteeName = "carol", Rights = ModelRight.Infer });
            IssuedToken token = await alice.Grain.CreateToken(new TokenSpec { Name = "t", Scopes = TokenScopes.Infer });
            GrantedModel granted = await alice.Grain.LeaseStream(
                new StreamLeaseSpec { Caller = carol.Id, Model = "tiny", Number = null, StreamId = Stream, PromptTokens = 1, MaxTokens = 1 });
            return new Ground(cluster, alice, carol, token, new LeaseUse { StreamId = Stream, Model = "tiny", Version = granted.Version.Version, Tokens = 1 });
        }

        /// <summary>Begins a change, and answers when it waits for alice's log.</summary>
        public async Task<Task> StandingAsync(string change)
        {
            int told = await OperatorEntriesAsync() + (change is "set quota" or "forget" ? 1 : 0); // of these the operator's log tells first
            _standing = new StandStill(0).Into(cluster.Objects);
            Task changing = change switch
            {
                "revoke token" => alice.Grain.RevokeToken(token.Id),
                "rotate token" => alice.Grain.RotateToken(new TokenRotation { TokenId = token.Id, Grace = TimeSpan.Zero, Asking = new TokenSpec { Name = "t", Scopes = TokenScopes.Infer } }),
                "set quota" => alice.Grain.SetQuota(new UserQuota { RequestsPerMinute = Rate / 2 }),
                "revoke grant" => alice.Grain.RevokeGrant("tiny", carol.Id),
                "replace grant" => alice.Grain.Grant(new GrantSpec { Model = "tiny", Grantee = carol.Id, GranteeName = "carol", Rights = ModelRight.Download }),
                "delete version" => alice.Grain.DeleteVersion("tiny", 1),
                "delete model" => alice.Grain.DeleteModel("tiny"),
                "forget" => alice.Grain.Forget(),
                _ => throw new ArgumentOutOfRangeException(nameof(change), change, null),
            };
            await _standing.Reached.WaitAsync(Cancel);
            while (await OperatorEntriesAsync() < told)
            {
                StandStill next = new StandStill(0).Into(cluster.Objects);
                _standing.GoOn();
                _standing = next;
                await next.Reached.WaitAsync(Cancel);
            }
            return changing;
        }

        private async Task<int> OperatorEntriesAsync() => await new AuditReader(cluster.Objects).ReadAsync(AuditLogId.Operator, 1, Cancel).CountAsync(Cancel);

        public void GoOn() => _standing!.GoOn();

        public async Task NothingChangedAsync()
        {
            Admission admitted = await alice.Grain.Admit(token.Text);
            Assert.Equal((token.Id, 0), (admitted.Verdict?.TokenId, admitted.Verdict?.Serial));
            Assert.Equal(Rate, admitted.Levels!.Requests.Limit);
            ImmutableArray<string> cut = await alice.Grain.RenewStreams([Use]);
            Assert.Empty(cut);
            Assert.Empty(await alice.Grain.RenewLeases(carol.Id, [lease]));
        }

        public async ValueTask DisposeAsync()
        {
            _standing?.GoOn();
            await cluster.DisposeAsync();
        }
    }
}
