using System.Buffers;
using System.Collections.Frozen;

namespace TinyLlm.Storage;

/// <summary>One part of a path that is the same file on every system: no separator, no drive, no device, nothing that a system trims or resolves.</summary>
internal static class PathPart
{
    /// <summary>The characters of a safe part.</summary>
    public static readonly SearchValues<char> Characters =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-");

    private static readonly FrozenSet<string> Devices = MakeDevices();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> DeviceLookup = Devices.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Characters, dots and devices; the length and the first character are the caller's rules.</summary>
    public static bool IsSafe(ReadOnlySpan<char> part) =>
        !part.IsEmpty
        && !part.ContainsAnyExcept(Characters)
        && !part.Contains("..", StringComparison.Ordinal)
        && part[^1] != '.'
        && !IsDevice(part);

    /// <summary>Whether Windows opens a device under this name: "con", "COM1", "nul.txt".</summary>
    public static bool IsDevice(ReadOnlySpan<char> part)
    {
        int dot = part.IndexOf('.');
        return DeviceLookup.Contains(dot < 0 ? part : part[..dot]);
    }

    private static FrozenSet<string> MakeDevices()
    {
        List<string> names = ["con", "prn", "aux", "nul"];
        for (int i = 0; i <= 9; i++) names.AddRange([$"com{i}", $"lpt{i}"]);
        return names.ToFrozenSet(StringComparer.OrdinalIgnoreCase);
    }
}
