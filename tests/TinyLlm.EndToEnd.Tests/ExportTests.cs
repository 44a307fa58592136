using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary><c>tinyllm export</c> and <c>tinyllm verify</c> as processes, and the real host whose signature they rely on.</summary>
public sealed class ExportTests(SharedHost shared) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Export_OfAnUpload_HasItsBytesAndVerifiesUntilOneChanges()
    {
        using UserClient owner = await shared.NewUserAsync("exporter");
        Dictionary<string, byte[]> files = TinyModel.Files();
        await owner.UploadAsync("tiny", files);
        string export = folder.Combine("tiny");

        ToolRun run = await RunAsync(0, "export", "tiny", export, "--token", owner.Token);

        Assert.Equal($"{export}: {files.Count} files of {owner.Name}/tiny; the public key is {export}.pub\n", run.Out);
        Assert.Equal([.. files.Keys.Append("model.sig").Order(StringComparer.Ordinal)], NamesIn(export));
        foreach ((string name, byte[] bytes) in files) Assert.Equal(bytes, await File.ReadAllBytesAsync(Path.Combine(export, name), Cancel));
        Assert.Equal([export, export + ".pub"], Directory.EnumerateFileSystemEntries(folder.Path, "tiny*").Order(StringComparer.Ordinal));
        string hostKey = folder.Combine("host.pub");
        await File.WriteAllTextAsync(hostKey, (string)(await owner.GetAsync("api/signing-key"))["public_key"]!, Cancel);
        Assert.Contains($"valid: {files.Count} files", (await VerifyAsync(0, export, hostKey)).Out, StringComparison.Ordinal);
        await VerifyAsync(0, export, export + ".pub");

        foreach (string name in files.Keys.Append("model.sig"))
        {
            byte[] bytes = await File.ReadAllBytesAsync(Path.Combine(export, name), Cancel);
            byte[] changed = [.. bytes];
            changed[changed.Length / 2] ^= 1;
            await File.WriteAllBytesAsync(Path.Combine(export, name), changed, Cancel);
            ToolRun refused = await VerifyAsync(2, export, hostKey);
            Assert.Empty(refused.Out);
            Assert.Contains(name == "model.sig" ? "(code " : $"'{name}' is not the file that was signed (code file_changed)", refused.Error, StringComparison.Ordinal);
            await File.WriteAllBytesAsync(Path.Combine(export, name), bytes, Cancel);
        }
        await VerifyAsync(0, export, hostKey);
    }

    [Fact]
    public async Task Export_ByAnotherUser_NeedsTheGrantToDownload()
    {
        using UserClient owner = await shared.NewUserAsync("exporter");
        using UserClient other = await shared.NewUserAsync("export-other");
        await owner.UploadAsync("tiny", TinyModel.Files());
        string model = $"{owner.Name}/tiny", export = folder.Combine("tiny");

        ToolRun stranger = await RunAsync(1, "export", model, export, "--token", other.Token);
        Assert.Contains("(status 404, code model_not_found", stranger.Error, StringComparison.Ordinal);
        await RunAsync(0, "grant", "tiny", other.Name, "--right", "infer", "--token", owner.Token);
        ToolRun user = await RunAsync(1, "export", model, export, "--token", other.Token);
        Assert.Contains("--right download", user.Error, StringComparison.Ordinal);
        Assert.Contains("(status 404, code model_not_found", user.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path, "tiny*"));

        await RunAsync(0, "grant", "tiny", other.Name, "--right", "download", "--token", owner.Token);
        await RunAsync(0, "export", model, export, "--token", other.Token);
        await VerifyAsync(0, export, export + ".pub");
    }

    [Fact]
    public async Task Export_IntoAFolderThatIsThere_IsRefusedAndLeavesItAlone()
    {
        using UserClient owner = await shared.NewUserAsync("exporter");
        await owner.UploadAsync("tiny", TinyModel.Files());
        string there = Directory.CreateDirectory(folder.Combine("there")).FullName;
        await File.WriteAllTextAsync(Path.Combine(there, "mine.txt"), "mine", Cancel);

        ToolRun refused = await RunAsync(2, "export", "tiny", there, "--token", owner.Token);

        Assert.Contains($"'{there}' exists: remove it, or name another folder", refused.Error, StringComparison.Ordinal);
        Assert.Equal(["mine.txt"], NamesIn(there));
        Assert.Equal([there], Directory.EnumerateFileSystemEntries(folder.Path, "there*"));
    }

    private Task<ToolRun> VerifyAsync(int exitCode, string export, string key) => RunAsync(exitCode, "verify", export, "--public-key", key);

    private static string?[] NamesIn(string path) => [.. Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName).Order(StringComparer.Ordinal)];

    private async Task<ToolRun> RunAsync(int exitCode, params string[] args)
    {
        ToolRun run = await ToolRun.CliAsync(shared.Host, folder.Combine("config"), args);
        Assert.True(run.ExitCode == exitCode, $"tinyllm {string.Join(' ', args)}: {run.ExitCode}\n{run.Out}\n{run.Error}");
        return run;
    }
}
