using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>Encryption at rest switched off and on again over the same data: each version is read as it was written.</summary>
public sealed class EncryptionOptionTests : IDisposable
{
    private const string Weights = "model.safetensors";
    private const int Tokens = 5;

    private readonly TempFolder _folder = new();
    private readonly TestClock _clock = new();

    [Fact]
    public async Task Restart_OptionChanged_ServesEncryptedAndPlainVersionsAlike()
    {
        TestUser user;
        string upload;
        await using (GrainCluster on = await StartAsync(encrypted: true))
        {
            user = await on.CreateUserAsync("alice");
            AssertStored(on, user, await user.PublishAsync("first"), encrypted: true);
            await AssertServesAsync(on, user, "first");
            upload = (await user.Grain.BeginUpload("open", null)).UploadId;
            await user.WriteAsync("open", upload, "config.json", TinyModel.Files["config.json"]);
        }

        await using (GrainCluster off = await StartAsync(encrypted: false))
        {
            user = In(off, user);
            AssertStored(off, user, await user.PublishAsync("second"), encrypted: false);
            foreach ((string name, byte[] bytes) in TinyModel.Files.Where(file => file.Key != "config.json")) await user.WriteAsync("open", upload, name, bytes);
            AssertStored(off, user, await user.CommitAsync("open", upload), encrypted: true); // as it began
            await AssertServesAsync(off, user, "first", "second", "open");
        }

        await using (GrainCluster again = await StartAsync(encrypted: true))
        {
            user = In(again, user);
            AssertStored(again, user, await user.PublishAsync("third"), encrypted: true);
            await AssertServesAsync(again, user, "first", "second", "open", "third");
        }
    }

    public void Dispose() => _folder.Dispose();

    private Task<GrainCluster> StartAsync(bool encrypted) => GrainCluster.StartAsync(
        _folder.FullPath, _clock, new TestSilo { Silo = silo => silo.Services.Configure<EncryptionOptions>(options => options.Enabled = encrypted) });

    private static TestUser In(GrainCluster cluster, TestUser user) => user with { Grain = cluster.User(user.Id), Files = cluster.Files };

    private static async Task AssertServesAsync(GrainCluster cluster, TestUser user, params string[] models)
    {
        foreach (string model in models)
        {
            GrantedModel granted = await user.LeaseAsync(model);
            Assert.Equal(TestSession.Answer(Tokens), TestSession.Text(await cluster.GenerateAsync(granted.Lease, TestSession.Greedy(Tokens))));
        }
    }

    /// <summary>What lies on the disk is the file itself, or nothing that one could read.</summary>
    private static void AssertStored(GrainCluster cluster, TestUser user, PublishedVersion version, bool encrypted)
    {
        string folder = Path.Combine(cluster.DataPath, "objects", ModelFiles.FolderName(user.Id, version.Version));
        Assert.Equal(encrypted, File.Exists(Path.Combine(folder, $"{Weights}.sealed")));
        Assert.Equal(!encrypted, File.Exists(Path.Combine(folder, Weights)));
        if (!encrypted) Assert.Equal(TinyModel.Files[Weights], File.ReadAllBytes(Path.Combine(folder, Weights)));
    }
}
