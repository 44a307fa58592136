using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class VerifyCommandTests : IDisposable
{
    private readonly CliRun run = new();
    private readonly string folder;
    private readonly string key;

    public VerifyCommandTests()
    {
        folder = run.NewFolder("model");
        key = Path.Combine(run.NewFolder("keys"), "host.pub");
        new SignedModel().Write(folder, key);
    }

    [Fact]
    public async Task Verify_FilesAsSigned_IsFine()
    {
        Assert.Equal(ExitCode.Ok, await VerifyAsync());
        Directory.CreateDirectory(Path.Combine(folder, ".git"));
        await File.WriteAllTextAsync(Path.Combine(folder, ".git", "HEAD"), "x", TestContext.Current.CancellationToken); // what signatures leave out
        Assert.Equal(ExitCode.Ok, await VerifyAsync());
        Assert.Contains("valid: 3 files", run.Out.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_ChangedMissingAndUnsignedFiles_NamesEachOfThem()
    {
        await File.AppendAllTextAsync(Path.Combine(folder, "config.json"), " ", TestContext.Current.CancellationToken);
        File.Delete(Path.Combine(folder, "tokenizer.json"));
        Directory.CreateDirectory(Path.Combine(folder, "sub"));
        await File.WriteAllTextAsync(Path.Combine(folder, "sub", "extra.py"), "x", TestContext.Current.CancellationToken);

        Assert.Equal(2, await VerifyAsync());

        Assert.Contains("'config.json' is not the file that was signed (code file_changed)", run.Error.Text, StringComparison.Ordinal);
        Assert.Contains("'tokenizer.json', which is not there (code file_missing)", run.Error.Text, StringComparison.Ordinal);
        Assert.Contains("'sub/extra.py' is there and was not signed (code file_not_signed)", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_AnotherKey_IsRefused()
    {
        await File.WriteAllTextAsync(key, new SignedModel().PublicKey, TestContext.Current.CancellationToken);

        Assert.Equal(2, await VerifyAsync());

        Assert.Contains("(code other_key)", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_NoSignatureNoKeyOrALink_IsAnError()
    {
        Assert.Equal(2, await run.RunAsync("verify", folder, "--public-key", "no/such/key"));
        Assert.Equal(2, await run.RunAsync("verify", folder, "--public-key", Path.Combine(folder, "config.json")));
        File.CreateSymbolicLink(Path.Combine(folder, "link.json"), Path.Combine(folder, "config.json"));
        Assert.Equal(2, await VerifyAsync());
        File.Delete(Path.Combine(folder, "model.sig"));
        Assert.Equal(2, await VerifyAsync());

        foreach (string text in (string[])["there is no public key", "is not the public key of a signer", "'link.json' is a symbolic link", "there is no signature"])
            Assert.Contains(text, run.Error.Text, StringComparison.Ordinal);
    }

    public void Dispose() => run.Dispose();

    private Task<int> VerifyAsync() => run.RunAsync("verify", folder, "--public-key", key);
}
