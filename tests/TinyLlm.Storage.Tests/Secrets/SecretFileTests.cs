namespace TinyLlm.Storage.Tests;

public sealed class SecretFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Path => folder["keys/secret"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ReadOrCreate_Twice_GivesTheFirst()
    {
        Secret made = SecretFile.ReadOrCreate(Path, () => "first");
        Secret read = SecretFile.ReadOrCreate(Path, () => throw new InvalidOperationException("there is one already"));

        Assert.Equal(new Secret("first", SecretOrigin.Created), made);
        Assert.Equal(new Secret("first", SecretOrigin.Existing), read);
        Assert.DoesNotContain("first", made.ToString(), StringComparison.Ordinal);
        Assert.Equal(["secret"], Directory.EnumerateFileSystemEntries(folder["keys"]).Select(System.IO.Path.GetFileName));
        if (!OperatingSystem.IsWindows()) Assert.Equal(PrivateFiles.FileModeBits, File.GetUnixFileMode(Path));
    }

    [Fact]
    public void ReadOrCreate_ReadableByOthers_SaysSo()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes");
        SecretFile.ReadOrCreate(Path, () => "first");
#pragma warning disable CA1416 // The test was skipped above on Windows.
        File.SetUnixFileMode(Path, PrivateFiles.FileModeBits | UnixFileMode.GroupRead);
#pragma warning restore CA1416

        Assert.Equal(SecretOrigin.ExistingReadableByOthers, SecretFile.ReadOrCreate(Path, () => "second").Origin);
    }

    /// <summary>File.Move without overwriting is two steps on Unix: the later of two callers won, and the first held a secret that nobody else had.</summary>
    [Fact]
    public async Task ReadOrCreate_ManyAtOnce_AllGetTheOneThatStays()
    {
        using Barrier start = new(8);
        Secret[] secrets = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            return SecretFile.ReadOrCreate(Path, () => $"secret {i}");
        }, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        string stays = (await File.ReadAllTextAsync(Path, TestContext.Current.CancellationToken)).Trim();
        Assert.All(secrets, secret => Assert.Equal(stays, secret.Value));
        Assert.Single(secrets, secret => secret.Origin == SecretOrigin.Created);
        Assert.Single(Directory.EnumerateFileSystemEntries(folder["keys"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \n")]
    public void ReadOrCreate_EmptyFile_IsDamaged(string content)
    {
        File.WriteAllText(folder["empty"], content);

        Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(() => SecretFile.ReadOrCreate(folder["empty"], () => "x")).Error);
    }

    [Fact]
    public void ReadOrCreate_HugeFileOrLink_IsRefused()
    {
        File.WriteAllText(folder["huge"], new string('x', 100_000));
        File.CreateSymbolicLink(folder["link"], folder["huge"]);

        Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(() => SecretFile.ReadOrCreate(folder["huge"], () => "x")).Error);
        Assert.Equal(StoreError.BadName, Assert.Throws<StoreException>(() => SecretFile.ReadOrCreate(folder["link"], () => "x")).Error);
        Assert.Throws<ArgumentException>(() => SecretFile.ReadOrCreate(folder["new"], () => " "));
        Assert.False(File.Exists(folder["new"]));
    }

    [Fact]
    public void ReadOrCreateKey_Twice_GivesTheFirst()
    {
        byte[] made = SecretFile.ReadOrCreateKey(Path, 32, out SecretOrigin first);
        byte[] read = SecretFile.ReadOrCreateKey(Path, 32, out SecretOrigin second);

        Assert.Equal(32, made.Length);
        Assert.Equal(made, read);
        Assert.Equal(SecretOrigin.Created, first);
        Assert.Equal(SecretOrigin.Existing, second);
        Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(() => SecretFile.ReadOrCreateKey(Path, 16, out _)).Error);
    }
}
