using System.Diagnostics;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>A real file system of a few megabytes in memory, gone after the test.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string folder;

    private SmallDisk(string folder) => this.folder = folder;

    private string FillerPath => Path.Combine(folder, "filler");

    /// <summary>Mounts it at <paramref name="folder"/>; skips the test where that is not allowed.</summary>
    public static SmallDisk Mount(string folder, int megabytes)
    {
        Directory.CreateDirectory(folder);
        Assert.SkipUnless(OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", folder) == 0,
            "a small file system can't be mounted here: this needs Linux and the right to mount");
        return new SmallDisk(folder);
    }

    /// <summary>Takes all the space that is left.</summary>
    public void Fill()
    {
        byte[] block = new byte[4096];
        using FileStream filler = new(FillerPath, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true) filler.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>Gives it back.</summary>
    public void Free() => File.Delete(FillerPath);

    /// <summary>Lets nothing be written any more, as a system does with a disk that fails.</summary>
    public void Protect() => Remount("ro");

    /// <summary>Lets it be written again.</summary>
    public void Unprotect() => Remount("rw");

    /// <summary>Lazily: a host may still have it open.</summary>
    public void Dispose() => Assert.Equal(0, Run("umount", "--lazy", folder));

    /// <summary>Refused while a file is open for writing, which a host's last write may still have for a moment: asked often, then.</summary>
    private void Remount(string mode)
    {
        int code = 1;
        for (int attempt = 0; attempt < 500 && code != 0; attempt++) code = Run("mount", "-o", $"remount,{mode}", folder);
        Assert.Equal(0, code);
    }

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
