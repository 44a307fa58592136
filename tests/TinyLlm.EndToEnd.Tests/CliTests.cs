using System.Globalization;
using System.Text.Json;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>The command line as a process against the real host: what people and scripts see.</summary>
public sealed class CliTests(SharedHost shared) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Cli_FromLoginToRm_Works()
    {
        ToolRun login = await OkAsync("login", "--wait", "60", "--token-file", Path.Combine(shared.Host.DataFolder, "admin-token"));
        Assert.StartsWith("logged in at http://127.0.0.1:", login.Error, StringComparison.Ordinal);
        ToolRun user = await OkAsync("user", "add", "cli-user", "--login");
        Assert.StartsWith("tlm_", user.Out, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(folder.Combine("tinyllm", "credentials.json")));

        ToolRun push = await OkAsync("push", Stories.Folder, "--name", "stories");
        Assert.Matches("^cli-user/stories@1 [0-9a-f]{64}\n$", push.Out);
        Assert.Contains("left out: reference_greedy.json, reference_tokenization.json", push.Error, StringComparison.Ordinal);

        ToolRun models = await OkAsync("models");
        Assert.StartsWith("cli-user/stories@1\t", models.Out, StringComparison.Ordinal);

        GreedyCase wanted = Stories.GreedyCases()[1];
        ToolRun complete = await OkAsync("complete", "stories", wanted.Prompt, "--temperature", "0", "--max-tokens", $"{wanted.NewIds.Length}");
        Assert.Equal(wanted.NewText + "\n", complete.Out);
        ToolRun seeded = await OkAsync("chat", "cli-user/stories", "Once upon a time", "--seed", "7", "--max-tokens", "40", "--top-k", "40", "--top-p", "0.9");
        ToolRun again = await OkAsync("chat", "cli-user/stories", "Once upon a time", "--seed", "7", "--max-tokens", "40", "--top-k", "40", "--top-p", "0.9");
        Assert.NotEmpty(seeded.Out.Trim());
        Assert.Equal(seeded.Out, again.Out);

        await OkAsync("rm", "stories", "--yes");
        Assert.Empty((await OkAsync("models")).Out);
        ToolRun gone = await RunAsync("chat", "stories", "Hello");
        Assert.Equal(1, gone.ExitCode);
        Assert.Contains("code model_not_found", gone.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cli_TokensAndGrants_OpenAndCloseTheDoor()
    {
        using UserClient other = await shared.NewUserAsync("cli-grantee");
        await LoginAsync("cli-sharing");
        await OkAsync("push", Stories.Folder, "--name", "stories");

        string token = (await OkAsync("token", "add", "ci", "--scope", "infer", "--model", "stories")).Out.Trim();
        await OkAsync("complete", "cli-sharing/stories", "Once", "--max-tokens", "2", "--token", token);
        Assert.Equal(1, (await RunAsync("models", "--token", token)).ExitCode); // no scope to read
        string id = (await OkAsync("token", "list")).Out.Split('\n').Single(line => line.Contains("\tci\t", StringComparison.Ordinal)).Split('\t')[0];
        string fresh = (await OkAsync("token", "rotate", id)).Out.Trim();
        Assert.Contains("status 401", (await RunAsync("complete", "cli-sharing/stories", "Once", "--token", token)).Error, StringComparison.Ordinal);
        await OkAsync("complete", "cli-sharing/stories", "Once", "--max-tokens", "2", "--token", fresh);
        await OkAsync("token", "rm", id);
        Assert.Contains("status 401", (await RunAsync("complete", "cli-sharing/stories", "Once", "--token", fresh)).Error, StringComparison.Ordinal);

        await OkAsync("grant", "stories", other.Name);
        await OkAsync("complete", "cli-sharing/stories", "Once", "--max-tokens", "2", "--token", other.Token);
        Assert.StartsWith("cli-sharing/stories@1\t", (await OkAsync("models", "--token", other.Token)).Out, StringComparison.Ordinal);
        await OkAsync("revoke", "stories", other.Name);
        Assert.Contains("code model_not_found", (await RunAsync("complete", "cli-sharing/stories", "Once", "--token", other.Token)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cli_ServerRefusesAModel_TellsFileTensorCodeAndTrace()
    {
        await LoginAsync("cli-refused");
        string model = Directory.CreateDirectory(folder.Combine("broken")).FullName;
        Dictionary<string, byte[]> files = Stories.Files();
        // Well formed, so that it passes the check before the upload, and one tensor short.
        files["model.safetensors"] = WeightsFile.Parse(files["model.safetensors"]).WithoutLast().ToBytes();
        foreach ((string name, byte[] bytes) in files) File.WriteAllBytes(Path.Combine(model, name), bytes);
        ToolRun push = await RunAsync("push", model);
        Assert.Equal(1, push.ExitCode);
        Assert.Empty(push.Out);
        string line = push.Error.TrimEnd('\n').Split('\n')[^1];
        foreach (string part in (string[])["model.safetensors", "model.norm.weight", "status 422", "code missing_tensor", "trace "])
            Assert.Contains(part, line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cli_ShardedModel_IsPushedAndAnswersAsTheWholeOne()
    {
        await LoginAsync("cli-sharded");
        string model = Directory.CreateDirectory(folder.Combine("sharded")).FullName;
        Dictionary<string, byte[]> files = Stories.Files();
        foreach ((string name, byte[] bytes) in ShardedStories.Split(files)) File.WriteAllBytes(Path.Combine(model, name), bytes);
        await OkAsync("push", model);
        GreedyCase wanted = Stories.GreedyCases()[2];
        ToolRun complete = await OkAsync("complete", "sharded", wanted.Prompt, "--temperature", "0", "--max-tokens", $"{wanted.NewIds.Length}");
        Assert.Equal(wanted.NewText.TrimEnd('\n') + "\n", complete.Out);
    }

    [Fact]
    public async Task Cli_NothingToSayOrAWrongToken_ExitCodesTellThemApart()
    {
        await LoginAsync("cli-piped");
        await OkAsync("push", Stories.Folder);
        ToolRun nothing = await RunAsync("chat", "stories260K");
        Assert.Equal(2, nothing.ExitCode);
        ToolRun wrongToken = await ToolRun.CliAsync(shared.Host, folder.Path, "models", "--token", "tlm_wrong");
        Assert.Equal(1, wrongToken.ExitCode);
        Assert.Contains("status 401", wrongToken.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cli_Ps_ListsWhatIsInMemoryToTheOperatorAlone()
    {
        await OkAsync("login", "--token-file", Path.Combine(shared.Host.DataFolder, "admin-token"));
        string user = (await OkAsync("user", "add", "cli-ps")).Out.Trim();
        await OkAsync("push", Stories.Folder, "--name", "stories", "--token", user);
        Assert.DoesNotContain("cli-ps/stories\t", (await OkAsync("ps")).Out, StringComparison.Ordinal); // nobody has used it
        await OkAsync("complete", "stories", "Once", "--max-tokens", "2", "--token", user);

        string line = (await OkAsync("ps")).Out.Split('\n').Single(line => line.StartsWith("cli-ps/stories\t", StringComparison.Ordinal));
        string[] cells = line.Split('\t');
        Assert.Equal(7, cells.Length);
        Assert.Equal("cli-ps", cells[1]);
        Assert.Matches(@"^127\.0\.0\.1:[0-9]+@[0-9]+$", cells[2]);
        Assert.InRange(long.Parse(cells[3], CultureInfo.InvariantCulture), 1, 100 << 20);
        Assert.Equal("when room is needed", cells[6]);
        using JsonDocument json = JsonDocument.Parse((await OkAsync("ps", "--json")).Out);
        JsonElement model = json.RootElement.GetProperty("models").EnumerateArray().Single(model => model.GetProperty("owner").GetString() == "cli-ps");
        Assert.Equal((cells[0], cells[2], cells[4]), (model.GetProperty("model").GetString(), model.GetProperty("silo").GetString(), model.GetProperty("precision").GetString()));

        ToolRun refused = await RunAsync("ps", "--token", user);
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("status 403", refused.Error, StringComparison.Ordinal);
        await OkAsync("rm", "stories", "--yes", "--token", user);
        Assert.DoesNotContain("cli-ps/stories\t", (await OkAsync("ps")).Out, StringComparison.Ordinal);
    }

    private async Task LoginAsync(string user)
    {
        await OkAsync("login", "--token-file", Path.Combine(shared.Host.DataFolder, "admin-token"));
        await OkAsync("user", "add", user, "--login");
    }

    private Task<ToolRun> RunAsync(params string[] args) => ToolRun.CliAsync(shared.Host, folder.Path, args);

    private async Task<ToolRun> OkAsync(params string[] args)
    {
        ToolRun run = await RunAsync(args);
        Assert.True(run.ExitCode == 0, $"tinyllm {string.Join(' ', args)}: {run.ExitCode}\n{run.Out}\n{run.Error}");
        return run;
    }
}
