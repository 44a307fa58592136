using System.Runtime.InteropServices;

namespace TinyLlm.Engine;

/// <summary>
/// Memory for large buffers that are written once from end to end. On Linux it asks for pages of 2 MiB: with those of 4 KiB the first write to
/// each costs a fault, some 120,000 of them for 500 MB.
/// </summary>
internal static unsafe partial class HugePages
{
    private const nuint PageBytes = 2 << 20;
    private const int AdviseHugePage = 14; // MADV_HUGEPAGE of the Linux kernel's mman-common.h

    /// <summary>Memory to be freed by <see cref="NativeMemory.AlignedFree"/>.</summary>
    public static byte* Allocate(nuint bytes, nuint alignment)
    {
        if (!OperatingSystem.IsLinux() || bytes < 2 * PageBytes) return (byte*)NativeMemory.AlignedAlloc(Math.Max(bytes, 1), alignment);
        byte* start = (byte*)NativeMemory.AlignedAlloc(bytes, PageBytes);
        _ = Advise(start, bytes / PageBytes * PageBytes, AdviseHugePage); // a wish: a kernel without huge pages refuses it, and all works the same
        return start;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* start, nuint length, int advice);
}
