using System.Text;

namespace TinyLlm.Storage.Tests.Keys;

/// <summary>Host key, user keys and data keys: what rotates, what survives a crash, and what is gone for good.</summary>
public sealed class KeyEnvelopesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FileObjectStore store;
    private readonly UserId user = UserId.New();
    private readonly VersionId version = VersionId.New();

    public KeyEnvelopesTests() => store = new FileObjectStore(folder["envelopes"]);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task GetOrCreate_ByManyAtOnce_MakesOneKey()
    {
        KeyEnvelopes envelopes = Open();

        UserKeys[] keys = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => envelopes.GetOrCreateAsync(user, Cancel))));

        Assert.Single(keys.Select(key => key.CurrentId).Distinct());
        Assert.Equal(keys[0].CurrentId, (await Open().FindAsync(user, Cancel))!.CurrentId); // and after a restart
        Assert.Null(await envelopes.FindAsync(UserId.New(), Cancel));
    }

    [Fact]
    public async Task VersionKey_UnderAnotherOwnerModelOrVersion_DoesNotOpen()
    {
        KeyEnvelopes envelopes = Open();
        UserKeys keys = await envelopes.GetOrCreateAsync(user, Cancel);
        WrappedKey wrapped = keys.NewVersionKey("stories", version);

        keys.Open(wrapped, "stories", version);

        Damaged(() => keys.Open(wrapped, "poems", version));
        Damaged(() => keys.Open(wrapped, "stories", VersionId.New()));
        UserKeys other = await envelopes.GetOrCreateAsync(UserId.New(), Cancel);
        Damaged(() => other.Open(wrapped, "stories", version));
        Damaged(() => other.Open(wrapped with { By = other.CurrentId }, "stories", version));
        for (int at = 0; at < wrapped.Bytes.Length; at++)
        {
            byte[] changed = [.. wrapped.Bytes];
            changed[at] ^= 1;
            Damaged(() => keys.Open(wrapped with { Bytes = changed }, "stories", version));
        }
    }

    [Fact]
    public async Task RotateHostKey_ManyUsers_RewrapsEveryKeyAndDestroysTheOldOne()
    {
        KeyEnvelopes envelopes = Open();
        (UserId User, UserKeys Keys)[] users = [.. await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            UserId id = UserId.New();
            return (id, await envelopes.GetOrCreateAsync(id, Cancel));
        }))];
        string before = envelopes.HostKeyId;
        string oldKey = await File.ReadAllTextAsync(folder["keys/host-1"], Cancel);

        Assert.Equal(20, await envelopes.RotateHostKeyAsync(Cancel));

        Assert.NotEqual(before, envelopes.HostKeyId);
        Assert.Equal(["host-2"], Directory.EnumerateFiles(folder["keys"]).Select(Path.GetFileName));
        KeyEnvelopes restarted = Open();
        foreach ((UserId id, UserKeys keys) in users) Assert.Equal(keys.CurrentId, (await restarted.FindAsync(id, Cancel))!.CurrentId);

        // The old host key opens nothing that is stored now.
        File.Delete(folder["keys/host-2"]);
        await File.WriteAllTextAsync(folder["keys/host-1"], oldKey, Cancel);
        KeyEnvelopes thief = Open();
        foreach ((UserId id, _) in users) await DamagedAsync(() => thief.FindAsync(id, Cancel));
    }

    [Fact]
    public async Task RotateHostKey_CutOffInTheMiddle_LosesNothingAndIsEndedByARepeat()
    {
        KeyEnvelopes envelopes = Open();
        UserId[] users = [.. Enumerable.Range(0, 5).Select(_ => UserId.New())];
        Dictionary<UserId, string> ids = [];
        foreach (UserId id in users) ids[id] = (await envelopes.GetOrCreateAsync(id, Cancel)).CurrentId;
        using CancellationTokenSource crash = new();
        await crash.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => envelopes.RotateHostKeyAsync(crash.Token)); // the new key is there, nothing is rewrapped

        KeyEnvelopes restarted = Open();
        Assert.Equal(2, Directory.EnumerateFiles(folder["keys"]).Count());
        UserId late = UserId.New();
        ids[late] = (await restarted.GetOrCreateAsync(late, Cancel)).CurrentId; // by the new key, while older envelopes are by the old one
        foreach ((UserId id, string key) in ids) Assert.Equal(key, (await restarted.FindAsync(id, Cancel))!.CurrentId);
        Assert.Equal(5, await restarted.FinishRotationAsync(Cancel));
        Assert.Equal(0, await restarted.FinishRotationAsync(Cancel));
        Assert.Single(Directory.EnumerateFiles(folder["keys"]));
        foreach ((UserId id, string key) in ids) Assert.Equal(key, (await Open().FindAsync(id, Cancel))!.CurrentId);
    }

    [Fact]
    public async Task UserKey_Rotated_OpensWhatWasWrappedBeforeUntilItIsRewrapped()
    {
        KeyEnvelopes envelopes = Open();
        UserKeys first = await envelopes.GetOrCreateAsync(user, Cancel);
        WrappedKey wrapped = first.NewVersionKey("stories", version);
        byte[] dataKey = first.Open(wrapped, "stories", version).Fingerprint();

        UserKeys both = await envelopes.AddAsync(user, Cancel);
        WrappedKey rewrapped = both.Rewrap(wrapped, "stories", version);
        UserKeys second = await envelopes.RemoveOldAsync(user, Cancel);

        Assert.Equal(dataKey, both.Open(wrapped, "stories", version).Fingerprint());
        Assert.Equal(dataKey, second.Open(rewrapped, "stories", version).Fingerprint());
        Damaged(() => second.Open(wrapped, "stories", version));
        Assert.Equal((2, 1), (both.Count, second.Count));
    }

    [Fact]
    public async Task Destroy_ThenFind_IsGoneFromTheStoreAndForANewKeyAsWell()
    {
        KeyEnvelopes envelopes = Open();
        UserKeys keys = await envelopes.GetOrCreateAsync(user, Cancel);
        WrappedKey wrapped = keys.NewVersionKey("stories", version);

        Assert.True(await envelopes.DestroyAsync(user, Cancel));

        Assert.False(await envelopes.DestroyAsync(user, Cancel));
        Assert.Null(await Open().FindAsync(user, Cancel));
        // What is left are the store's locks, which are empty.
        Assert.All(Directory.EnumerateFiles(folder["envelopes"], "*", SearchOption.AllDirectories), path => Assert.Equal(0, new FileInfo(path).Length));
        Assert.Equal(0, await store.ListAsync("", Cancel).CountAsync(Cancel));
        UserKeys again = await envelopes.GetOrCreateAsync(user, Cancel);
        Damaged(() => again.Open(wrapped, "stories", version));
    }

    [Fact]
    public async Task Envelope_AnyBitFlipped_IsDamaged()
    {
        KeyEnvelopes envelopes = Open();
        string id = (await envelopes.GetOrCreateAsync(user, Cancel)).CurrentId;
        byte[] whole = (await store.GetAsync($"keys/{user}", Cancel))!.Bytes.ToArray();
        Random random = new(3);
        for (int at = 0; at < whole.Length; at++)
        {
            byte[] changed = [.. whole];
            changed[at] ^= (byte)(1 << random.Next(8));
            await store.PutAsync($"keys/{user}", changed, PutCondition.Always, Cancel);
            // A bit of JSON or base64 may mean nothing; then the key is the very same.
            try
            {
                Assert.Equal(id, (await envelopes.FindAsync(user, Cancel))!.CurrentId);
            }
            catch (StoreException refusal)
            {
                Assert.Equal(StoreError.Damaged, refusal.Error);
            }
        }
    }

    [Fact]
    public async Task Envelope_OfAnotherUser_DoesNotOpen()
    {
        KeyEnvelopes envelopes = Open();
        await envelopes.GetOrCreateAsync(user, Cancel);
        UserId thief = UserId.New();
        await store.PutAsync($"keys/{thief}", (await store.GetAsync($"keys/{user}", Cancel))!.Bytes, PutCondition.Always, Cancel);

        await DamagedAsync(() => envelopes.FindAsync(thief, Cancel));
    }

    [Fact]
    public async Task Keys_AtRestAndPrinted_AreNotInTheClear()
    {
        KeyEnvelopes envelopes = Open();
        UserKeys keys = await envelopes.GetOrCreateAsync(user, Cancel);
        WrappedKey wrapped = keys.NewVersionKey("stories", version);
        VersionKey key = keys.Open(wrapped, "stories", version);
        byte[] secret = key.Reveal().ToArray();
        using SigningKey signing = SigningKey.ReadOrCreate(folder["keys/signing"]);

        string printed = $"{keys} {wrapped} {key} {signing} {envelopes} {System.Text.Json.JsonSerializer.Serialize(wrapped)}";

        foreach (string form in (string[])[Convert.ToHexString(secret), Convert.ToBase64String(secret), Encoding.Latin1.GetString(secret)])
        {
            Assert.DoesNotContain(form, printed, StringComparison.OrdinalIgnoreCase);
            foreach (string path in Directory.EnumerateFiles(folder["envelopes"], "*", SearchOption.AllDirectories))
                Assert.DoesNotContain(form, await File.ReadAllTextAsync(path, Encoding.Latin1, Cancel), StringComparison.OrdinalIgnoreCase);
        }
        Assert.DoesNotContain("PRIVATE KEY", printed, StringComparison.Ordinal);
        if (OperatingSystem.IsWindows()) return;
        foreach (string path in Directory.EnumerateFiles(folder["keys"])) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    public void Dispose() => folder.Dispose();

    /// <summary>As a host that starts: the folder's keys, read anew.</summary>
    private KeyEnvelopes Open() => new(store, HostKeyRing.Open(folder["keys"]));

    private static void Damaged(Action action) => Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(action).Error);

    private static async Task DamagedAsync(Func<Task> action) => Assert.Equal(StoreError.Damaged, (await Assert.ThrowsAsync<StoreException>(action)).Error);
}
