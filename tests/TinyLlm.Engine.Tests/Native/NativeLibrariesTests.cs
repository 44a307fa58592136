using System.Runtime.InteropServices;
using TinyLlm.Engine.Build;

namespace TinyLlm.Engine.Tests;

/// <summary>What the build puts beside an executable, and the patch that lets LibTorchSharp load on systems with an older libstdc++.</summary>
public sealed class NativeLibrariesTests
{
    private static readonly string s_natives = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native");

    [Fact]
    public void Output_OnLinux_HoldsWhatACpuHostNeedsAndNothingElse()
    {
        SkipUnlessLinux();
        string[] natives = [.. Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories)
            .Where(file => file.Contains(".so", StringComparison.Ordinal) || file.EndsWith(".dylib", StringComparison.Ordinal) || file.Contains("native", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(s_natives, file)).Order(StringComparer.Ordinal)];
        Assert.Equal(
            ["libLibTorchSharp.so", "libc10.so", "libgomp-98b21ff3.so.1", "libtorch.so", "libtorch_cpu.so", "libtorch_global_deps.so"], natives);
    }

    [Fact]
    public void Output_OnLinux_IsPatchedWhereTheSystemNeedsIt()
    {
        SkipUnlessLinux();
        string? system = GlibcxxPatch.FindSystemLibrary();
        Assert.SkipWhen(system is null, "no libstdc++.so.6 in the usual folders");
        bool systemHasIt = GlibcxxPatch.Defines(File.ReadAllBytes(system));
        byte[] library = File.ReadAllBytes(Path.Combine(s_natives, "libLibTorchSharp.so"));

        // Asking again is how a library tells: only one that still wants the newer version can be patched.
        Assert.Equal(systemHasIt, GlibcxxPatch.Apply(library));
    }

    [Fact]
    public void Apply_Packaged_AsksForTheOlderSymbolAndLoads()
    {
        SkipUnlessLinux();
        byte[] packaged = File.ReadAllBytes(Packaged()), patched = [.. packaged];
        Assert.True(GlibcxxPatch.Apply(patched));
        Assert.False(GlibcxxPatch.Apply([.. patched]));
        Assert.Equal(packaged.Length, patched.Length);

        // 8 bytes of a version entry, and the name, whose bytes partly agree.
        Assert.InRange(packaged.Zip(patched).Count(pair => pair.First != pair.Second), 8, 8 + "_ZSt21ios_base_library_initv".Length);

        string copy = Path.Combine(s_natives, "libLibTorchSharp.patched.so");
        File.WriteAllBytes(copy, patched);
        try
        {
            nint library = NativeLibrary.Load(copy);
            Assert.NotEqual(0, NativeLibrary.GetExport(library, "THSTensor_new"));
            NativeLibrary.Free(library);
        }
        finally
        {
            File.Delete(copy);
        }
    }

    [Fact]
    public void Apply_TruncatedOrDamaged_NeverReadsOutside()
    {
        SkipUnlessLinux();
        byte[] packaged = File.ReadAllBytes(Packaged());
        int refused = 0;
        for (int length = 0; length < 400_000; length += 1999) Try(packaged[..length]);
        Random random = new(1);
        for (int round = 0; round < 2000; round++)
        {
            byte[] damaged = packaged[..65536];
            for (int k = 0; k < 4; k++) damaged[random.Next(4, 1024)] = (byte)random.Next(256);
            Try(damaged);
        }
        Assert.InRange(refused, 1000, 2201);

        void Try(byte[] elf)
        {
            Exception? thrown = Record.Exception(() => GlibcxxPatch.Apply(elf));
            if (thrown is null) return;
            Assert.IsType<InvalidDataException>(thrown);
            refused++;
        }
    }

    private static void SkipUnlessLinux() => Assert.SkipUnless(
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "the natives of this system are not those of linux-x64");

    private static string Packaged()
    {
        string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
            ? folder : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        string path = Directory.EnumerateDirectories(Path.Combine(packages, "torchsharp")).Order(StringComparer.Ordinal).Last();
        return Path.Combine(path, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
    }
}
