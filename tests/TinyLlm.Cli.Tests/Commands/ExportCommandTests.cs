using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class ExportCommandTests
{
    [Theory]
    [InlineData("stories")]
    [InlineData("alice/stories")]
    public async Task Export_AWholeModel_VerifiesWithItsKey(string name)
    {
        SignedModel model = new();
        await using StandInHost host = await StandInHost.StartAsync(model.Map);
        using CliRun run = new CliRun().At(host);
        string folder = Path.Combine(run.NewFolder("exports"), "stories");

        Assert.Equal(ExitCode.Ok, await run.RunAsync("export", name, folder));

        Assert.Equal(["config.json", "model.safetensors", "model.sig", "tokenizer.json"], Directory.EnumerateFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(model.Files["model.safetensors"], await File.ReadAllBytesAsync(Path.Combine(folder, "model.safetensors"), TestContext.Current.CancellationToken));
        Assert.Equal(ExitCode.Ok, await run.RunAsync("verify", folder, "--public-key", folder + ".pub"));
        Assert.False(Directory.Exists(folder + ".partial"));
    }

    [Fact]
    public async Task Export_IntoAFolderThatExists_IsRefused()
    {
        await using StandInHost host = await StandInHost.StartAsync(new SignedModel().Map);
        using CliRun run = new CliRun().At(host);

        Assert.Equal(2, await run.RunAsync("export", "stories", run.NewFolder("there")));

        Assert.Contains("exists: remove it", run.Error.Text, StringComparison.Ordinal);
        Assert.Empty(host.Requests);
    }

    [Fact]
    public async Task Export_ThatBrokeOff_GoesOnWithWhatArrived()
    {
        SignedModel model = new();
        model.Interfere = (file, http) =>
        {
            if (file != "model.safetensors") return false;
            http.Abort();
            return true;
        };
        await using StandInHost host = await StandInHost.StartAsync(model.Map);
        using CliRun run = new CliRun().At(host);
        string folder = Path.Combine(run.NewFolder("exports"), "stories");
        Assert.Equal(ExitCode.Failed, await run.RunAsync("export", "stories", folder));
        Assert.False(Directory.Exists(folder));

        model.Interfere = (_, _) => false;
        Assert.Equal(ExitCode.Ok, await run.RunAsync("export", "stories", folder));

        Assert.Single(host.Requests, request => request.EndsWith("/files/config.json", StringComparison.Ordinal));
        Assert.Equal(ExitCode.Ok, await run.RunAsync("verify", folder, "--public-key", folder + ".pub"));
    }

    [Fact]
    public async Task Export_BytesThatTheHostDidNotSign_LeavesNoFolder()
    {
        SignedModel model = new();
        model.Files["tokenizer.json"] = "{\"a\":2}"u8.ToArray(); // after the signature was made
        await using StandInHost host = await StandInHost.StartAsync(model.Map);
        using CliRun run = new CliRun().At(host);
        string folder = Path.Combine(run.NewFolder("exports"), "stories");

        Assert.Equal(ExitCode.Failed, await run.RunAsync("export", "stories", folder));

        Assert.Contains("tokenizer.json", run.Error.Text, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task Export_SignatureOfAnotherKey_IsRefusedBeforeAnyFile()
    {
        SignedModel model = new() { Signature = new SignedModel().Signature };
        await using StandInHost host = await StandInHost.StartAsync(model.Map);
        using CliRun run = new CliRun().At(host);

        Assert.Equal(ExitCode.Failed, await run.RunAsync("export", "stories", Path.Combine(run.NewFolder("exports"), "stories")));

        Assert.Contains("signature of the model does not hold", run.Error.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(host.Requests, request => request.Contains("/files/", StringComparison.Ordinal));
    }

    /// <summary>The key that was kept from an earlier export is what a later one is held against.</summary>
    [Fact]
    public async Task Export_HostWithAnotherKeyThanBefore_IsRefusedAndKeepsTheOldOne()
    {
        SignedModel model = new();
        await using StandInHost host = await StandInHost.StartAsync(model.Map);
        using CliRun run = new CliRun().At(host);
        string folder = Path.Combine(run.NewFolder("exports"), "stories"), key = folder + ".pub", old = new SignedModel().PublicKey;
        await File.WriteAllTextAsync(key, old, TestContext.Current.CancellationToken);

        Assert.Equal(ExitCode.Usage, await run.RunAsync("export", "stories", folder));

        Assert.Contains("holds something else than the key that the host signs with now", run.Error.Text, StringComparison.Ordinal);
        Assert.Equal(old, await File.ReadAllTextAsync(key, TestContext.Current.CancellationToken));
        Assert.False(Path.Exists(folder) || Path.Exists(folder + ".partial"));
        await File.WriteAllTextAsync(key, model.PublicKey, TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("export", "stories", folder));
    }
}
