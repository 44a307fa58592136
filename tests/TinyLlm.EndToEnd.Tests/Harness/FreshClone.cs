using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>The repository as someone gets it who clones it now: nothing built, nothing ignored.</summary>
internal static class FreshClone
{
    /// <summary>Clones the repository; with uncommitted changes, copies what git would take, so that the change is what is tested.</summary>
    public static async Task MakeAsync(string target)
    {
        ToolRun status = await GitAsync("status", "--porcelain");
        if (status.Out.Length == 0)
        {
            await GitAsync("clone", "--quiet", "--no-hardlinks", ".", target);
            return;
        }
        ToolRun files = await GitAsync("ls-files", "-z", "--cached", "--others", "--exclude-standard");
        foreach (string name in files.Out.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            string source = Path.Combine(TestData.RepositoryRoot, name);
            if (!File.Exists(source)) continue; // deleted, and not committed yet
            string copy = Path.Combine(target, name);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(source, copy);
        }
    }

    private static async Task<ToolRun> GitAsync(params string[] args)
    {
        ToolRun run = await ToolRun.RunAsync("git", args, [], TestData.RepositoryRoot);
        Assert.True(run.ExitCode == 0, $"git {string.Join(' ', args)}: {run.Error}");
        return run;
    }
}
