namespace TinyLlm.Storage.Tests;

public sealed class DataFolderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Open_Twice_NamesTheFolderAndTheOption()
    {
        using DataFolder first = DataFolder.Open(folder["data"], TimeProvider.System);

        StoreException error = Assert.Throws<StoreException>(() => DataFolder.Open(folder["data"], TimeProvider.System));

        Assert.Equal(StoreError.FolderInUse, error.Error);
        Assert.Contains(folder["data"], error.Message, StringComparison.Ordinal);
        Assert.Contains("--data", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_AfterDispose_FindsWhatWasStored()
    {
        using (DataFolder first = DataFolder.Open(folder["data"], TimeProvider.System))
        {
            await first.Objects.PutAsync("a/b", new byte[] { 1 }, PutCondition.Always, Cancel);
            await first.GrainState.PutAsync("a/b", new byte[] { 2 }, PutCondition.Always, Cancel);
        }
        using DataFolder second = DataFolder.Open(folder["data"], TimeProvider.System);

        Assert.Equal([1], (await second.Objects.GetAsync("a/b", Cancel))!.Bytes.ToArray());
        Assert.Equal([2], (await second.GrainState.GetAsync("a/b", Cancel))!.Bytes.ToArray());
        Assert.True(File.Exists(folder["data/objects/a/b"]));
        Assert.True(File.Exists(folder["data/grainstate/a/b"]));
    }

    [Fact]
    public void Open_AfterACrashWhileASecretWasWritten_RemovesTheLeftover()
    {
        using (DataFolder first = DataFolder.Open(folder["data"], TimeProvider.System))
        {
            SecretFile.ReadOrCreate(first.AdminTokenPath, () => "kept");
            SecretFile.ReadOrCreateKey(first.KeyPath("tokens"), 32, out _);
        }
        foreach (string leftover in (string[])["data/.0.secret-tmp", "data/keys/.1.secret-tmp"]) File.WriteAllText(folder[leftover], "half");

        using DataFolder second = DataFolder.Open(folder["data"], TimeProvider.System);

        Assert.Empty(Directory.EnumerateFiles(folder["data"], "*tmp*", SearchOption.TopDirectoryOnly));
        Assert.Equal(["tokens"], Directory.EnumerateFiles(folder["data/keys"]).Select(Path.GetFileName));
        Assert.Equal("kept", SecretFile.ReadOrCreate(second.AdminTokenPath, () => "new").Value);
    }

    [Fact]
    public void Open_MakesFoldersForTheOwnerAlone()
    {
        using DataFolder data = DataFolder.Open(folder["data"], TimeProvider.System);
        SecretFile.ReadOrCreateKey(data.KeyPath("tokens"), 32, out _);

        Assert.Equal(folder["data/admin-token"], data.AdminTokenPath);
        Assert.Equal(folder["data/keys/tokens"], data.KeyPath("tokens"));
        Assert.Equal(StoreError.BadName, Assert.Throws<StoreException>(() => data.KeyPath("../x")).Error);
        if (OperatingSystem.IsWindows()) return;
        foreach (string path in (string[])["data", "data/objects", "data/grainstate", "data/keys"])
            Assert.Equal(PrivateFiles.FolderModeBits, File.GetUnixFileMode(folder[path]));
    }
}
