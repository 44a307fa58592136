using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace TinyLlm.Storage;

/// <summary>How far a log had come: the number of its entries, and the hash of the last one, which the whole log before it goes into.</summary>
/// <param name="Entries">0 for an empty log.</param>
/// <param name="Hash">Lower-case hexadecimal SHA-256 of the last entry's line.</param>
public sealed record AuditHead(long Entries, string Hash)
{
    /// <summary>Before the first entry.</summary>
    public static AuditHead Empty { get; } = new(0, new string('0', 64));

    /// <summary>Reads "ENTRIES:HASH", as <see cref="ToString"/> writes it.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AuditHead? head)
    {
        head = null;
        int colon = text?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        if (colon < 0 || !long.TryParse(text.AsSpan(0, colon), NumberStyles.None, CultureInfo.InvariantCulture, out long entries)) return false;
        string hash = text![(colon + 1)..];
        if (hash.Length != Empty.Hash.Length || !hash.All(char.IsAsciiHexDigitLower)) return false;
        head = new AuditHead(entries, hash);
        return true;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Entries}:{Hash}");
}
