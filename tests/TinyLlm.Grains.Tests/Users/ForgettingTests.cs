using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Storage.Tests.Faults;

namespace TinyLlm.Grains.Tests.Users;

/// <summary>In which order a user goes.</summary>
public sealed class ForgettingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Whatever of the deletion fails, or a copy keeps: without the user's key it is unreadable. So the key goes while every file is still there.</summary>
    [Fact]
    public async Task Forget_TheUsersKey_GoesBeforeAnyFile()
    {
        await using GrainCluster cluster = await GrainCluster.StartAsync();
        TestUser alice = await cluster.CreateUserAsync("alice");
        await alice.PublishAsync("tiny");
        string models = Path.Combine(cluster.DataPath, DataFolder.ObjectsContainer, "models", alice.Id.Value), key = Path.Combine(cluster.DataPath, DataFolder.KeyEnvelopesContainer, "keys", alice.Id.Value);
        Assert.True(File.Exists(key));
        int whole = Files(models);
        Assert.True(whole > 3);

        // Stands before each access to the store of the files, and looks.
        StandStill standing = new StandStill(0).Into(cluster.Objects);
        Task<ForgetReceipt?> forgetting = alice.Grain.Forget();
        int keyWasGone = 0;
        while (await Task.WhenAny(standing.Reached, forgetting).WaitAsync(Cancel) != forgetting)
        {
            bool hasKey = File.Exists(key);
            int files = Files(models);
            Assert.True(!hasKey || files == whole, $"{whole - files} files are gone and the key is not");
            if (!hasKey && files == whole) keyWasGone++;
            StandStill next = new StandStill(0).Into(cluster.Objects);
            standing.GoOn();
            standing = next;
        }
        Assert.NotNull(await forgetting);
        standing.GoOn();
        Assert.True(keyWasGone > 0, "it never stood between the two");
        Assert.Equal(0, Files(models));
    }

    private static int Files(string folder) => Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count() : 0;
}
