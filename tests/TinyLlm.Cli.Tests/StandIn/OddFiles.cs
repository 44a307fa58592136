using System.Diagnostics;

namespace TinyLlm.Cli.Tests.StandIn;

/// <summary>What a folder may hold under the name of weights, and is none.</summary>
internal static class OddFiles
{
    /// <summary>Names, in the order of reports, with the code of each fault.</summary>
    public static readonly string[] Faults =
    [
        "dangling.safetensors file_missing",
        "empty.safetensors file_too_short",
        "folder.safetensors not_a_file",
        "itself.safetensors file_unreadable",
        "pipe-by-link.safetensors not_a_file",
        "pipe.safetensors not_a_file",
    ];

    /// <summary>Writes all of them.</summary>
    public static void Write(string folder)
    {
        File.CreateSymbolicLink(Path.Combine(folder, "dangling.safetensors"), "nowhere");
        File.CreateSymbolicLink(Path.Combine(folder, "itself.safetensors"), "itself.safetensors");
        File.CreateSymbolicLink(Path.Combine(folder, "pipe-by-link.safetensors"), "pipe.safetensors");
        File.Create(Path.Combine(folder, "empty.safetensors")).Dispose();
        Directory.CreateDirectory(Path.Combine(folder, "folder.safetensors"));
        MakePipe(Path.Combine(folder, "pipe.safetensors"));
        // Users of a directory service have numbers beyond 2^21, which older archives have no room for.
        if (Environment.IsPrivilegedProcess) Run("chown", "3000000", Path.Combine(folder, "empty.safetensors"));
    }

    /// <summary>A named pipe, which nobody writes to.</summary>
    public static void MakePipe(string path) => Run("mkfifo", path);

    private static void Run(string command, params string[] arguments)
    {
        using Process process = Process.Start(command, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
