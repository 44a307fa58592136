using TinyLlm.Cli.Credentials;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Credentials;

public sealed class CredentialStoreTests
{
    [Fact]
    public void Save_ThenLoad_IsTheSame()
    {
        using CliRun run = new();
        SavedCredentials saved = new() { Url = "http://a:1" };
        run.Store.Save(saved with { Tokens = saved.Tokens.Add("http://a:1", "tlm_1") });
        SavedCredentials loaded = run.Store.Load();
        Assert.Equal("http://a:1", loaded.Url);
        Assert.Equal("tlm_1", loaded.Tokens["http://a:1"]);
    }

    [Fact]
    public void Save_OverAnOldFile_LeavesOneFileThatOnlyItsOwnerReads()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no file modes");
            return;
        }
        using CliRun run = new();
        run.Store.Save(new SavedCredentials { Url = "http://old:1" });
        File.SetUnixFileMode(run.Store.FilePath, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        run.Store.Save(new SavedCredentials { Url = "http://new:1" });

        string folder = Path.GetDirectoryName(run.Store.FilePath)!;
        Assert.Equal([run.Store.FilePath], Directory.GetFiles(folder));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(run.Store.FilePath));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        Assert.Equal("http://new:1", run.Store.Load().Url);
    }

    [Fact]
    public void Load_NothingSaved_IsEmpty()
    {
        using CliRun run = new();
        Assert.Null(run.Store.Load().Url);
        Assert.Empty(run.Store.Load().Tokens);
    }

    [Fact]
    public void DefaultFolder_XdgConfigHome_IsUsedWhenAbsoluteOnly()
    {
        Assert.Equal(Path.Combine(Path.GetTempPath(), "tinyllm"), CredentialStore.DefaultFolder(_ => Path.GetTempPath()));
        Assert.NotEqual("relative/tinyllm", CredentialStore.DefaultFolder(_ => "relative"));
        Assert.Equal("tinyllm", Path.GetFileName(CredentialStore.DefaultFolder(_ => null)));
    }
}
