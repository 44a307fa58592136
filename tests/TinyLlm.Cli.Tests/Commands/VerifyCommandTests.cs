using System.Security.Cryptography;
using System.Text;
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

    /// <summary>A pipe held the check for ever; taken for an empty file, one would pass as a signed file that is empty.</summary>
    [Fact]
    public async Task Verify_APipe_IsRefusedAndNotOpened()
    {
        OddFiles.MakePipe(Path.Combine(folder, "pipe.json"));

        Assert.Equal(2, await VerifyAsync());

        Assert.Contains("'pipe.json': it is no regular file", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_KeyInAnotherForm_TellsHowToWriteIt()
    {
        using ECDsa signer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string other = key + ".other";
        foreach (byte[] form in (byte[][])[signer.ExportSubjectPublicKeyInfo(), Encoding.ASCII.GetBytes(signer.ExportECPrivateKeyPem()), [], new byte[100_000]])
        {
            await File.WriteAllBytesAsync(other, form, TestContext.Current.CancellationToken);
            Assert.Equal(2, await run.RunAsync("verify", folder, "--public-key", other));
        }

        Assert.Equal(4, run.Error.Text.Split("is not the public key of a signer: it must be PEM").Length - 1);
        Assert.Contains("'openssl pkey -pubin -in KEY'", run.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_OddPaths_AreErrorsOfTheCommandLine()
    {
        string file = Path.Combine(folder, "config.json");
        Assert.Equal(2, await run.RunAsync("verify", "", "--public-key", key));
        Assert.Equal(2, await run.RunAsync("verify", folder, "--public-key", key, "--signature", ""));
        Assert.Equal(2, await run.RunAsync("export", "stories", "", "--token", "t"));
        Assert.Equal(2, await run.RunAsync("verify", file, "--public-key", key));
        Assert.Equal(2, await run.RunAsync("verify", folder + "/none", "--public-key", key));
        Assert.Equal(2, await run.RunAsync("verify", folder));

        Assert.Equal(3, run.Error.Text.Split("a path is empty").Length - 1);
        Assert.Equal(2, run.Error.Text.Split("is not a folder").Length - 1);
        Assert.Contains("'--public-key' is required", run.Error.Text, StringComparison.Ordinal);
        Assert.Empty(run.Out.Text); // help after a fault is no result
    }

    public void Dispose() => run.Dispose();

    private Task<int> VerifyAsync() => run.RunAsync("verify", folder, "--public-key", key);
}
