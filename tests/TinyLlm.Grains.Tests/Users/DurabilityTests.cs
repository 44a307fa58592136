using Orleans.Storage;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Users;

/// <summary>What a restart and a failed write leave.</summary>
public sealed class DurabilityTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NewCluster_SameFolder_HasUsersTokensAndModels()
    {
        using TempFolder folder = new();
        TestClock time = new();
        UserId id;
        IssuedToken token;
        PublishedVersion version;
        string uploadId;
        await using (GrainCluster first = await GrainCluster.StartAsync(folder.FullPath, time))
        {
            TestUser alice = await first.CreateUserAsync("Alice");
            (id, token) = (alice.Id, alice.Token);
            version = await alice.PublishAsync("tiny");
            uploadId = (await alice.UploadAsync("next", idempotencyKey: "key")).UploadId;
        }

        await using GrainCluster second = await GrainCluster.StartAsync(folder.FullPath, time);
        Assert.Equal(id, await second.Client.GetGrain<IUserNameGrain>("alice").Resolve("Alice"));
        Assert.Equal("Alice", (await second.User(id).AuthenticateAsync(token.Text))!.UserName);
        Assert.Equal(version, Assert.Single(await second.User(id).ListModels()));
        Assert.Equal(uploadId, (await second.User(id).BeginUpload("next", "key")).UploadId);
        ModelLease lease = (await second.User(id).Lease(id, "tiny", null, ModelRight.Infer)).Lease;
        Assert.Equal(TestSession.Answer(3), TestSession.Text(await second.GenerateAsync(lease, TestSession.Greedy(3))));
        TestUser again = new(id, "Alice", token, second.User(id), second.Files);
        Assert.Equal(1, (await again.CommitAsync("next", uploadId)).Number);
    }

    [Fact]
    public async Task Write_StateChangedUnderIt_FailsAndIsNotVisible()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        string name = $"user-user/{alice.Id}.json";
        StoredObject stored = (await cluster.GrainState.GetAsync(name, Cancel))!;
        await cluster.GrainState.PutAsync(name, stored.Bytes, PutCondition.Always, Cancel); // the same bytes, as another writer's

        await Assert.ThrowsAsync<InconsistentStateException>(() => alice.Grain.CreateToken(new TokenSpec { Name = "lost", Scopes = TokenScopes.Read }));

        Assert.Equal("first", Assert.Single(await alice.Grain.ListTokens()).Spec.Name);
        Assert.NotNull(await alice.Grain.AuthenticateAsync(alice.Token.Text));
        await alice.Grain.CreateToken(new TokenSpec { Name = "kept", Scopes = TokenScopes.Read });
        Assert.Equal(2, (await alice.Grain.ListTokens()).Length);
    }

    /// <summary>The state no longer names a version, and the process died before its bytes were removed.</summary>
    [Fact]
    public async Task Activation_DoomedBytesLeft_RemovesThem()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        VersionId version = (await alice.PublishAsync("tiny")).Version;
        VersionKey? key = (await alice.LeaseAsync("tiny")).Lease.Key;
        Dictionary<string, ReadOnlyMemory<byte>> bytes = await ReadAllAsync(cluster, alice, version, key);
        await alice.Grain.DeleteModel("tiny");
        Assert.Null(cluster.Files.TryGetLocalFolder(alice.Id, version));

        // As the crash left it: the record of the deletion without the deletion.
        string name = $"user-user/{alice.Id}.json";
        await cluster.Orleans.DeactivateAsync(alice.Grain);
        StoredObject state = (await cluster.GrainState.GetAsync(name, Cancel))!;
        string text = System.Text.Encoding.UTF8.GetString(state.Bytes.Span);
        Assert.Contains("\"Doomed\":[]", text, StringComparison.Ordinal);
        text = text.Replace("\"Doomed\":[]", $"\"Doomed\":[\"{version}\"]", StringComparison.Ordinal);
        await cluster.GrainState.PutAsync(name, System.Text.Encoding.UTF8.GetBytes(text), PutCondition.Always, Cancel);
        foreach ((string file, ReadOnlyMemory<byte> content) in bytes)
            await cluster.Files.AppendAsync(alice.Id, version, ModelFileName.Parse(file), 0, new MemoryStream(content.ToArray()), 1 << 30, null, key, Cancel);
        Assert.NotNull(cluster.Files.TryGetLocalFolder(alice.Id, version));

        Assert.Empty(await alice.Grain.ListModels());

        Assert.Null(cluster.Files.TryGetLocalFolder(alice.Id, version));
        StoredObject after = (await cluster.GrainState.GetAsync(name, Cancel))!;
        Assert.Contains("\"Doomed\":[]", System.Text.Encoding.UTF8.GetString(after.Bytes.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forget_CutOffAfterItBegan_ARepeatFinishes()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        VersionId version = (await alice.PublishAsync("tiny")).Version;
        await cluster.Orleans.DeactivateAsync(alice.Grain);
        string name = $"user-user/{alice.Id}.json";
        string text = System.Text.Encoding.UTF8.GetString((await cluster.GrainState.GetAsync(name, Cancel))!.Bytes.Span);
        text = text.Replace("\"Deleting\":false", "\"Deleting\":true", StringComparison.Ordinal);
        await cluster.GrainState.PutAsync(name, System.Text.Encoding.UTF8.GetBytes(text), PutCondition.Always, Cancel);

        Assert.Null(await alice.Grain.AuthenticateAsync(alice.Token.Text));
        Assert.Null(await alice.Grain.Describe());
        await Refusal.OfAsync(RequestError.NotFound, alice.Grain.ListModels);
        Assert.Equal(1, (await alice.Grain.Forget())!.Versions);

        Assert.Null(cluster.Files.TryGetLocalFolder(alice.Id, version));
        Assert.Null(await cluster.GrainState.GetAsync(name, Cancel));
        Assert.Null(await cluster.Client.GetGrain<IUserNameGrain>("alice").Find());
    }

    private static async Task<Dictionary<string, ReadOnlyMemory<byte>>> ReadAllAsync(GrainCluster cluster, TestUser owner, VersionId version, VersionKey? key)
    {
        Dictionary<string, ReadOnlyMemory<byte>> bytes = [];
        await foreach ((ModelFileName file, _) in cluster.Files.ListAsync(owner.Id, version, Cancel))
        {
            using VersionFile opened = await cluster.Files.OpenAsync(owner.Id, version, file, key, Cancel);
            byte[] content = new byte[opened.Length];
            await opened.ReadAsync(0, content, Cancel);
            bytes[file.Value] = content;
        }
        return bytes;
    }
}
