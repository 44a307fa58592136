using System.Security.Cryptography;
using TinyLlm.Cli.Tests.StandIn;

namespace TinyLlm.Cli.Tests.Commands;

public sealed class PushCommandTests
{
    // More than the socket buffers of both ends hold, so that a drop comes in the middle of sending.
    private const int WeightBytes = 32 << 20;
    private const string Weights = "model.safetensors";

    [Fact]
    public async Task Push_ModelFolder_SendsWhatBelongsAndListsTheRest()
    {
        UploadTarget target = new();
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun().At(host);
        string folder = ModelSample.Write(run.NewFolder("stories"));
        await File.WriteAllTextAsync(Path.Combine(folder, "notes.txt"), "", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "pytorch_model.bin"), "", TestContext.Current.CancellationToken);
        ModelSample.WriteWeights(folder, "consolidated.safetensors", "other", 8);
        Directory.CreateDirectory(Path.Combine(folder, ".git"));

        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", folder + "/"));
        Assert.Equal("alice/stories@1 d1\n", run.Out.Text);
        Assert.Contains("left out: .git/, consolidated.safetensors, notes.txt, pytorch_model.bin\n", run.Error.Text, StringComparison.Ordinal);
        Assert.Equal(["begin stories", "put config.json from 0", "put tokenizer.json from 0", $"put {Weights} from 0", "commit"], target.Log);
        foreach ((string name, byte[] bytes) in target.Files)
            Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder, name), TestContext.Current.CancellationToken), bytes);
        Assert.Equal(target.Files.ToDictionary(file => file.Key, file => Convert.ToHexStringLower(SHA256.HashData(file.Value))), target.Expected);
    }

    /// <summary>Once a file that changed between two segments, and kept its length, became a version with parts of both contents.</summary>
    [Fact]
    public async Task Push_FileChangesBetweenSegments_CommitExpectsTheFirstContent()
    {
        string path = "";
        UploadTarget target = new()
        {
            Interfere = async (name, attempt, _) =>
            {
                if (name != Weights || attempt != 2) return false;
                byte[] changed = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
                changed[^1] ^= 1; // in the third segment
                await File.WriteAllBytesAsync(path, changed, TestContext.Current.CancellationToken);
                return false;
            },
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun { Transfer = new() { SegmentBytes = 1000 } }.At(host);
        string folder = ModelSample.Write(run.NewFolder("stories"), 2500);
        path = Path.Combine(folder, Weights);
        string first = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken)));

        await run.RunAsync("push", folder);
        Assert.NotEqual(first, Convert.ToHexStringLower(SHA256.HashData(target.Files[Weights])));
        Assert.Equal(first, target.Expected[Weights]);
    }

    [Fact]
    public async Task Push_ConnectionDropsTwice_GoesOnAfterTheLastDurableByte()
    {
        UploadTarget target = null!;
        target = new UploadTarget
        {
            Interfere = async (name, attempt, context) => name == Weights && attempt <= 2 && await target.DropAfterAsync(name, context, 1_000_000),
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun { Transfer = new() { FirstPause = TimeSpan.Zero, SegmentBytes = 1 << 30 } }.At(host); // one segment
        string folder = ModelSample.Write(run.NewFolder("stories"), WeightBytes);

        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", folder));
        Assert.Equal(
            [$"put {Weights} from 0", $"head {Weights}", $"put {Weights} from 1000000", $"head {Weights}", $"put {Weights} from 2000000", "commit"],
            target.Log[3..]);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder, Weights), TestContext.Current.CancellationToken), target.Files[Weights]);
    }

    [Fact]
    public async Task Push_LargeFile_GoesInSegmentsAndLosesAtMostOne()
    {
        UploadTarget target = null!;
        target = new UploadTarget
        {
            Interfere = async (name, attempt, context) => name == Weights && attempt == 2 && await target.DropAfterAsync(name, context, 0),
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun { Transfer = new() { FirstPause = TimeSpan.Zero, SegmentBytes = 1000 } }.At(host);
        string folder = ModelSample.Write(run.NewFolder("stories"), 2500);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", folder));
        Assert.Equal(
            [$"put {Weights} from 0", $"put {Weights} from 1000", $"head {Weights}", $"put {Weights} from 1000", $"put {Weights} from 2000", "commit"],
            target.Log[3..]);
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder, Weights), TestContext.Current.CancellationToken), target.Files[Weights]);
    }

    [Fact]
    public async Task Push_OnATerminal_DrawsABarWithRatePerFileAndForAll()
    {
        UploadTarget target = new();
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun { ErrorIsTerminal = true }.At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", ModelSample.Write(run.NewFolder("stories"))));
        Assert.Equal("alice/stories@1 d1\n", run.Out.Text);
        foreach (string bar in (string[])["config.json", "tokenizer.json", Weights, "validating"])
            Assert.Matches($@"{bar}.*100\s*%.*B/s", run.Error.Text);
    }

    [Fact]
    public async Task Push_EmptyFile_IsSentAsOne()
    {
        UploadTarget target = new();
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun().At(host);
        string folder = ModelSample.Write(run.NewFolder("stories"));
        await File.WriteAllBytesAsync(Path.Combine(folder, "merges.txt"), [], TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", folder));
        Assert.Equal("put merges.txt from 0", target.Log[2]);
        Assert.Empty(target.Files["merges.txt"]);
    }

    [Fact]
    public async Task Push_AnswerIsLostAfterTheLastByte_IsNotSentAgain()
    {
        UploadTarget target = null!;
        target = new UploadTarget
        {
            Interfere = async (name, attempt, context) =>
                name == Weights && attempt == 1 && await target.DropAfterAsync(name, context, (int)context.Request.ContentLength!.Value),
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", ModelSample.Write(run.NewFolder("stories"))));
        Assert.Equal([$"put {Weights} from 0", $"head {Weights}", "commit"], target.Log[3..]);
    }

    [Fact]
    public async Task Push_ServerIsBusyOnce_IsRepeated()
    {
        UploadTarget target = new()
        {
            Interfere = (_, attempt, context) =>
            {
                if (attempt > 1) return Task.FromResult(false);
                context.Response.StatusCode = 503;
                context.Response.Headers.RetryAfter = "1";
                return Task.FromResult(true);
            },
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", ModelSample.Write(run.NewFolder("stories"))));
        Assert.Equal(["put config.json from 0", "head config.json", "put config.json from 0"], target.Log[1..4]);
    }

    [Theory]
    [InlineData(503, 4)]
    [InlineData(507, 1)]
    [InlineData(413, 1)]
    public async Task Push_ServerGoesOnRefusing_GivesUpAndAbandons(int status, int attempts)
    {
        UploadTarget target = new()
        {
            Interfere = (_, _, context) =>
            {
                context.Response.StatusCode = status;
                return Task.FromResult(true);
            },
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Failed, await run.RunAsync("push", ModelSample.Write(run.NewFolder("stories"))));
        Assert.Equal(attempts, target.Log.Count(entry => entry == "put config.json from 0"));
        Assert.Equal("abandon", target.Log[^1]);
        Assert.DoesNotContain("commit", target.Log);
    }

    [Fact]
    public async Task Push_Interrupted_Abandons()
    {
        TaskCompletionSource arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        UploadTarget target = new()
        {
            Interfere = async (name, _, context) =>
            {
                if (name != Weights) return false;
                TaskCompletionSource gone = new(TaskCreationOptions.RunContinuationsAsynchronously);
                using CancellationTokenRegistration registration = context.RequestAborted.Register(gone.SetResult);
                arrived.SetResult();
                await gone.Task;
                return true;
            },
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun().At(host);
        Task<int> push = run.RunAsync("push", ModelSample.Write(run.NewFolder("stories"), WeightBytes));
        await arrived.Task;
        Assert.True(run.Interrupts.Interrupt());
        Assert.Equal(ExitCode.Interrupted, await push);
        Assert.Equal("abandon", target.Log[^1]);
    }

    [Fact]
    public async Task Push_ServerClaimsMoreBytesThanTheFileHas_Fails()
    {
        UploadTarget target = null!;
        target = new UploadTarget
        {
            Interfere = (name, _, context) =>
            {
                if (name != Weights) return Task.FromResult(false);
                target.Files[name] = new byte[WeightBytes];
                context.Abort();
                return Task.FromResult(true);
            },
        };
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun().At(host);
        Assert.Equal(ExitCode.Failed, await run.RunAsync("push", ModelSample.Write(run.NewFolder("stories"))));
        Assert.Contains("the server holds", run.Error.Text, StringComparison.Ordinal);
        Assert.Equal("abandon", target.Log[^1]);
    }

    [Theory]
    [InlineData("-bad-")]
    [InlineData("con")]
    [InlineData("a b")]
    public async Task Push_FolderNameThatNamesNoModel_IsTwoAndAsksForAName(string folder)
    {
        UploadTarget target = new();
        await using StandInHost host = await StandInHost.StartAsync(target.Map);
        using CliRun run = new CliRun().At(host);
        string path = ModelSample.Write(run.NewFolder(folder + "."));
        Assert.Equal(ExitCode.Usage, await run.RunAsync("push", path));
        Assert.Contains("--name", run.Error.Text, StringComparison.Ordinal);
        Assert.Empty(host.Requests);
        Assert.Equal(ExitCode.Ok, await run.RunAsync("push", path, "--name", "good"));
    }

    [Fact]
    public async Task Push_BadLocalFile_IsTwoNamesFileAndTensorAndSendsNothing()
    {
        await using StandInHost host = await StandInHost.StartAsync(_ => { });
        using CliRun run = new CliRun().At(host);
        string folder = ModelSample.Write(run.NewFolder("stories"));
        ModelSample.WriteWeights(folder, Weights, "weight", 64);
        using (FileStream file = File.OpenWrite(Path.Combine(folder, Weights))) file.SetLength(file.Length - 1);
        Assert.Equal(ExitCode.Usage, await run.RunAsync("push", folder));
        Assert.Contains($"tinyllm: {Weights}: ", run.Error.Text, StringComparison.Ordinal);
        Assert.Empty(host.Requests);
    }
}
