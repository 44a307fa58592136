#nullable enable
#pragma warning disable IDE0005 // MSBuild compiles this file without implicit usings, the tests compile it with them.
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace TinyLlm.Engine.Build;

#if !WITHOUT_MSBUILD
/// <summary>Build step: copies LibTorchSharp and, where the system's libstdc++ is too old for it, patches the copy.</summary>
public sealed class PatchLibTorchSharp : Microsoft.Build.Utilities.Task
{
    [Microsoft.Build.Framework.Required]
    public string Library { get; set; } = "";

    [Microsoft.Build.Framework.Required]
    public string Copy { get; set; } = "";

    public override bool Execute()
    {
        byte[] elf = File.ReadAllBytes(Library);
        string? system = GlibcxxPatch.FindSystemLibrary();
        bool patched = system != null && !GlibcxxPatch.Defines(File.ReadAllBytes(system)) && GlibcxxPatch.Apply(elf);
        Directory.CreateDirectory(Path.GetDirectoryName(Copy)!);
        // Written beside and renamed: an output that still links to the old copy, or runs it, keeps the old one.
        string temporary = Copy + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(temporary, elf);
        File.Delete(Copy);
        File.Move(temporary, Copy);
        Log.LogMessage(Microsoft.Build.Framework.MessageImportance.Normal, "LibTorchSharp: {0}", patched ? "patched for " + system : "as packaged");
        return true;
    }
}
#endif

/// <summary>
/// Makes a 64-bit ELF library that asks libstdc++ for <c>_ZSt21ios_base_library_initv@GLIBCXX_3.4.32</c> ask for
/// <c>_ZNSt8ios_base4InitC1Ev@GLIBCXX_3.4</c> instead. That constructor has the same effect, uses no member of its object and exists in every
/// libstdc++ since 3.4; no hash table of a library covers the symbols that it imports, so the name may change in place.
/// </summary>
public static class GlibcxxPatch
{
    private const string NewVersion = "GLIBCXX_3.4.32", OldVersion = "GLIBCXX_3.4";
    private const string NewSymbol = "_ZSt21ios_base_library_initv", OldSymbol = "_ZNSt8ios_base4InitC1Ev";

    /// <summary>The libstdc++ that the loader would take on this system; null where there is none (not Linux).</summary>
    public static string? FindSystemLibrary()
    {
        foreach (string folder in new[] { "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib64", "/lib64", "/usr/lib", "/lib" })
        {
            string path = Path.Combine(folder, "libstdc++.so.6");
            if (File.Exists(path)) return path;
        }
        return null;
    }

    /// <summary>Whether this libstdc++ has the version that LibTorchSharp asks for.</summary>
    public static bool Defines(byte[] libstdcxx)
    {
        return IndexOf(libstdcxx, Encoding.ASCII.GetBytes(NewVersion + "\0"), 0, libstdcxx.Length) >= 0;
    }

    /// <summary>Patches in place. False: the library does not ask for the newer version. Throws when it is not what the patch knows.</summary>
    public static bool Apply(byte[] elf)
    {
        // 1. An ELF file, 64 bits, little endian.
        if (elf.Length < 64 || elf[0] != 0x7f || elf[1] != 'E' || elf[2] != 'L' || elf[3] != 'F' || elf[4] != 2 || elf[5] != 1)
            throw new InvalidDataException("not a 64-bit little-endian ELF file");

        // 2. Its loaded segments (to turn addresses into offsets) and its dynamic section.
        List<long[]> loads = new List<long[]>();
        long dynamic = -1, dynamicEnd = -1, programHeaders = Read(elf, 32, 8), headerSize = Read(elf, 54, 2), headerCount = Read(elf, 56, 2);
        for (long i = 0; i < headerCount; i++)
        {
            long at = programHeaders + i * headerSize, type = Read(elf, at, 4);
            long offset = Read(elf, at + 8, 8), address = Read(elf, at + 16, 8), size = Read(elf, at + 32, 8);
            if (type == 1) loads.Add(new[] { offset, address, size });
            if (type == 2) { dynamic = offset; dynamicEnd = offset + size; }
        }
        if (dynamic < 0) throw new InvalidDataException("no dynamic section");
        Dictionary<long, long> tags = new Dictionary<long, long>();
        for (long at = dynamic; at + 16 <= dynamicEnd && Read(elf, at, 8) != 0; at += 16) tags[Read(elf, at, 8)] = Read(elf, at + 8, 8);
        long strings = OffsetOf(loads, Tag(tags, 5, "DT_STRTAB")), stringsEnd = strings + Tag(tags, 10, "DT_STRSZ");
        if (stringsEnd < strings || stringsEnd > elf.Length) throw new InvalidDataException("the string table ends outside of the file");
        long needAddress;
        if (!tags.TryGetValue(0x6ffffffe, out needAddress)) return false;

        // 3. The versions that it needs of libstdc++: DT_VERNEED entries and their auxiliary entries.
        long newVersion = -1, oldVersion = -1, need = OffsetOf(loads, needAddress), needCount = Tag(tags, 0x6fffffff, "DT_VERNEEDNUM");
        for (long i = 0, step; i < needCount; i++, need += step)
        {
            step = Read(elf, need + 12, 4);
            if (!IsString(elf, strings + Read(elf, need + 4, 4), stringsEnd, "libstdc++.so.6")) continue;
            long auxiliary = need + Read(elf, need + 8, 4), auxiliaryCount = Read(elf, need + 2, 2);
            for (long k = 0; k < auxiliaryCount; k++, auxiliary += Read(elf, auxiliary + 12, 4))
            {
                long name = strings + Read(elf, auxiliary + 8, 4);
                if (IsString(elf, name, stringsEnd, NewVersion)) newVersion = auxiliary;
                if (IsString(elf, name, stringsEnd, OldVersion)) oldVersion = auxiliary;
            }
        }
        if (newVersion < 0) return false;
        if (oldVersion < 0) throw new InvalidDataException(NewVersion + " is needed, but " + OldVersion + " is not: nothing to borrow");

        // 4. The one symbol of that version.
        byte[] symbol = Encoding.ASCII.GetBytes("\0" + NewSymbol + "\0");
        int found = IndexOf(elf, symbol, (int)strings, (int)stringsEnd);
        if (found < 0) throw new InvalidDataException(NewVersion + " is needed, but not for " + NewSymbol);

        // 5. The entry takes the older version's hash and name; the symbol takes the shorter name, padded with its terminator.
        Array.Copy(elf, oldVersion, elf, newVersion, 4);
        Array.Copy(elf, oldVersion + 8, elf, newVersion + 8, 4);
        Array.Clear(elf, found + 1, NewSymbol.Length);
        Encoding.ASCII.GetBytes(OldSymbol).CopyTo(elf, found + 1);
        return true;
    }

    private static long Tag(Dictionary<long, long> tags, long tag, string name)
    {
        long value;
        if (!tags.TryGetValue(tag, out value)) throw new InvalidDataException("no " + name);
        return value;
    }

    private static long OffsetOf(List<long[]> loads, long address)
    {
        foreach (long[] load in loads)
        {
            if (address >= load[1] && address - load[1] < load[2]) return load[0] + address - load[1];
        }
        throw new InvalidDataException("address " + address + " is in no loaded segment");
    }

    private static long Read(byte[] elf, long at, int size)
    {
        if (at < 0 || at > elf.Length - size) throw new InvalidDataException("offset " + at + " is outside of the file of " + elf.Length + " bytes");
        long value = 0;
        for (int i = size - 1; i >= 0; i--) value = value << 8 | elf[at + i];
        return value;
    }

    private static bool IsString(byte[] elf, long at, long end, string text)
    {
        if (at < 0 || at + text.Length >= end || elf[at + text.Length] != 0) return false;
        for (int i = 0; i < text.Length; i++)
        {
            if (elf[at + i] != text[i]) return false;
        }
        return true;
    }

    private static int IndexOf(byte[] bytes, byte[] pattern, int start, int end)
    {
        for (int i = start; i <= end - pattern.Length; i++)
        {
            int k = 0;
            while (k < pattern.Length && bytes[i + k] == pattern[k]) k++;
            if (k == pattern.Length) return i;
        }
        return -1;
    }
}
