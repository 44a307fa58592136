using Microsoft.Extensions.Options;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Users;

public sealed class QuotaTests : IAsyncLifetime
{
    private static readonly long s_modelBytes = TinyModel.Files.Values.Sum(file => (long)file.Length);
    private GrainCluster _cluster = null!;
    private TestUser _user = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _cluster = await GrainCluster.StartAsync(new TestSilo
        {
            Device = null,
            Limits = limits =>
            {
                limits.MaxFileBytes = s_modelBytes;
                limits.MaxStoredBytes = (2 * s_modelBytes) + 10;
                limits.MaxModels = 2;
                limits.MaxVersions = 2;
                limits.MaxOpenUploads = 3;
                limits.MaxFilesPerUpload = 4;
                limits.ConcurrentWrites = 5;
            },
        });
        _user = await _cluster.CreateUserAsync("alice");
    }

    public ValueTask DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public async Task BeginUpload_TooManyOpen_IsRefusedUntilOneEnds()
    {
        UploadTicket first = await _user.Grain.BeginUpload("a", null);
        await _user.Grain.BeginUpload("b", null);
        await _user.Grain.BeginUpload("c", "key");
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.BeginUpload("d", null));
        await _user.Grain.BeginUpload("c", "key"); // a repeat is not one more
        await _user.Grain.AbandonUpload("a", first.UploadId);
        await _user.Grain.BeginUpload("d", null);
    }

    [Fact]
    public async Task BeginWrite_TooManyFiles_IsRefused()
    {
        UploadTicket upload = await _user.UploadAsync("a");
        Assert.Equal(4, (await _user.Grain.GetUpload("a", upload.UploadId)).Files.Length);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.BeginWrite("a", upload.UploadId, "README.md"));
        await _user.Grain.BeginWrite("a", upload.UploadId, "config.json"); // one that is there
    }

    /// <summary>Files that were still being written did not count, so that an upload could have as many as a client began at once.</summary>
    [Fact]
    public async Task BeginWrite_TooManyFilesAtOnce_IsRefused()
    {
        UploadTicket upload = await _user.Grain.BeginUpload("a", null);
        WriteLease first = await _user.Grain.BeginWrite("a", upload.UploadId, "1.safetensors");
        foreach (int file in (int[])[2, 3, 4]) await _user.Grain.BeginWrite("a", upload.UploadId, $"{file}.safetensors");
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.BeginWrite("a", upload.UploadId, "5.safetensors"));
        await _user.Grain.EndWrite(upload.UploadId, first.LeaseId, 1);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.BeginWrite("a", upload.UploadId, "5.safetensors"));
        await _user.Grain.BeginWrite("a", upload.UploadId, "1.safetensors"); // one that is there
    }

    /// <summary>Each body on its way holds memory for as long as its client likes, and nothing bounded how many of them a user had.</summary>
    [Fact]
    public async Task BeginWrite_TooManyBodiesAtOnce_IsRefusedUntilOneEnds()
    {
        UploadTicket a = await _user.Grain.BeginUpload("a", null), b = await _user.Grain.BeginUpload("b", null);
        WriteLease first = await _user.Grain.BeginWrite("a", a.UploadId, "1.safetensors");
        foreach (int file in (int[])[2, 3]) await _user.Grain.BeginWrite("a", a.UploadId, $"{file}.safetensors");
        await _user.Grain.BeginWrite("b", b.UploadId, "4.safetensors");
        WriteClaim claim = WriteClaim.New(silo: null);
        await _user.Grain.BeginWrite("b", b.UploadId, "5.safetensors", claim);

        RequestException refused = await Refusal.OfAsync(RequestError.RateLimited, () => _user.Grain.BeginWrite("b", b.UploadId, "6.safetensors"));
        Assert.NotNull(refused.RetryAfter);
        await _user.Grain.BeginWrite("b", b.UploadId, "5.safetensors", claim); // the same again is not one more
        TestUser other = await _cluster.CreateUserAsync("bob");
        await other.Grain.BeginWrite("a", (await other.Grain.BeginUpload("a", null)).UploadId, "1.safetensors");

        await _user.Grain.EndWrite(a.UploadId, first.LeaseId, 1);
        await _user.Grain.BeginWrite("b", b.UploadId, "6.safetensors");
    }

    [Fact]
    public async Task CompleteCommit_TooManyModelsOrVersions_IsRefused()
    {
        string[] uploads = [.. (await Task.WhenAll(new[] { "a", "b", "c" }.Select(name => _user.Grain.BeginUpload(name, null)))).Select(upload => upload.UploadId)];
        ModelFacts facts = new() { Architecture = "x", Parameters = 1, Tensors = 1, StoredBytes = 1, ContextLength = 1, VocabularySize = 1 };
        string[] manifests = new string[3];
        for (int i = 0; i < 3; i++) manifests[i] = await _user.SealSmallAsync("abc"[i].ToString(), uploads[i]);

        await _user.Grain.CompleteCommit(uploads[0], manifests[0], facts);
        await _user.Grain.CompleteCommit(uploads[1], manifests[1], facts);
        // Begun while there was a place, and two others took it.
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.CompleteCommit(uploads[2], manifests[2], facts));
        await _user.Grain.AbandonUpload("c", uploads[2]);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.BeginUpload("c", null));

        Assert.Equal(2, (await CompleteAsync("a")).Number);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => CompleteAsync("a"));

        async Task<PublishedVersion> CompleteAsync(string model)
        {
            UploadTicket upload = await _user.Grain.BeginUpload(model, null);
            return await _user.Grain.CompleteCommit(upload.UploadId, await _user.SealSmallAsync(model, upload.UploadId), facts);
        }
    }

    [Fact]
    public async Task Bytes_OfVersionsAndUploads_AreBoundedTogether()
    {
        PublishedVersion version = await _user.PublishAsync("a");
        UploadTicket upload = await _user.UploadAsync("b");
        Assert.Equal(2 * s_modelBytes, (await _user.Grain.Describe())!.StoredBytes);

        UploadTicket third = await _user.Grain.BeginUpload("c", null);
        WriteLease lease = await _user.Grain.BeginWrite("c", third.UploadId, "config.json");
        Assert.Equal(10, lease.MaxBytes);
        await _user.Grain.EndWrite(third.UploadId, lease.LeaseId, 10);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.BeginWrite("c", third.UploadId, "README.md"));
        await _user.Grain.AbandonUpload("c", third.UploadId);
        Assert.Equal((version.Number, 1), (1, (await _user.CommitAsync("b", upload.UploadId)).Number));
        await _user.Grain.DeleteModel("a");
        Assert.Equal(s_modelBytes, (await _user.Grain.Describe())!.StoredBytes);
    }

    /// <summary>Every writer was granted all that was left, so that many at once could write many times the quota.</summary>
    [Fact]
    public async Task RenewWrite_WritersTogetherBeyondTheQuota_LoseTheirLeases()
    {
        UploadTicket upload = await _user.Grain.BeginUpload("a", null);
        WriteLease[] leases = [];
        foreach (string file in (string[])["a.safetensors", "b.safetensors", "c.safetensors"])
        {
            leases = [.. leases, await _user.Grain.BeginWrite("a", upload.UploadId, file)];
            await _user.Files.AppendAsync(
                _user.Id, upload.Version, ModelFileName.Parse(file), 0, new MemoryStream(new byte[s_modelBytes]), s_modelBytes, null, leases[^1].Key, Cancel);
        }

        await _user.Grain.RenewWrite(upload.UploadId, leases[0].LeaseId);
        await _user.Grain.RenewWrite(upload.UploadId, leases[1].LeaseId);
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.RenewWrite(upload.UploadId, leases[2].LeaseId));
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.BeginWrite("a", upload.UploadId, "config.json"));
    }

    [Fact]
    public async Task CompleteCommit_MoreBytesThanTheQuota_IsRefused()
    {
        UploadTicket upload = await _user.UploadAsync("a");
        CommitTicket ticket = await _user.Grain.BeginCommit("a", upload.UploadId);
        ModelFacts facts = new() { Architecture = "x", Parameters = 1, Tensors = 1, StoredBytes = (2 * s_modelBytes) + 11, ContextLength = 1, VocabularySize = 1 };

        string manifest = (await _user.Files.SealAsync(_user.Id, ticket.Version, ticket.Key, Cancel)).Digest.Hex;
        await Refusal.OfAsync(RequestError.QuotaExceeded, () => _user.Grain.CompleteCommit(upload.UploadId, manifest, facts));
        await _user.Grain.CompleteCommit(upload.UploadId, manifest, facts with { StoredBytes = facts.StoredBytes - 1 });
        Assert.Equal(ticket.Version, Assert.Single(await _user.Grain.ListModels()).Version);
    }

    [Fact]
    public void Numbers_ManyNamesDeleted_StayBoundedAndAreNeverReused()
    {
        UserState state = new() { Name = "alice" };
        UserLimits limits = Options.Create(new UserLimits()).Value;
        ModelBook book = new(limits, TimeProvider.System);
        ModelFacts facts = new() { Architecture = "x", Parameters = 1, Tensors = 1, StoredBytes = 1, ContextLength = 1, VocabularySize = 1 };
        Dictionary<string, int> last = [];

        Publish("kept");
        for (int i = 0; i < 3 * ModelBook.MaxRememberedNames; i++)
        {
            string name = $"m{i % (2 * ModelBook.MaxRememberedNames)}";
            Publish(name);
            ModelBook.Delete(state, name);
        }

        Assert.InRange(state.LastVersions.Count, 1, ModelBook.MaxRememberedNames + 1);
        Publish("kept");
        Assert.Equal(2, last["kept"]);

        void Publish(string name)
        {
            UploadRecord upload = new() { Model = name, Version = VersionId.New(), Phase = UploadPhase.Committing, ExpiresAt = default };
            int number = book.Publish(state, upload, "00", "00", facts).Number;
            Assert.True(number > last.GetValueOrDefault(name));
            last[name] = number;
        }
    }
}
