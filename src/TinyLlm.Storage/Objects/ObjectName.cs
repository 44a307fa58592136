using System.Buffers;
using System.Text;

namespace TinyLlm.Storage;

/// <summary>
/// The rules for an object's name: parts of A-Z, a-z, 0-9, '.', '_', '-' and '%' separated by '/', at most <see cref="MaxLength"/> characters, a part at
/// most <see cref="MaxPartLength"/>; no empty part, no "..", no part that begins or ends with '.', no device name. '%' is there for
/// <see cref="EscapePart"/> alone: no store decodes it. Names are made of internal ids; these rules are the second wall.
/// </summary>
public static class ObjectName
{
    /// <summary>Azure Blob Storage allows 1,024.</summary>
    public const int MaxLength = 900;

    /// <summary>Common file systems allow 255 bytes.</summary>
    public const int MaxPartLength = 200;

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-%");

    public static bool IsValid(string? name)
    {
        if (name is null || name.Length is 0 or > MaxLength) return false;
        foreach (Range range in name.AsSpan().Split('/'))
        {
            if (!IsValidPart(name.AsSpan(range))) return false;
        }
        return true;
    }

    /// <summary>
    /// Turns any text into parts of a name, so that different texts stay different: '/' keeps separating; what can't stand in a name, '%' itself and a
    /// dot where none may be become %XX of their UTF-8 bytes; an empty part becomes "%", and the last letter of a device's name is escaped.
    /// Text of internal ids comes out as it went in.
    /// </summary>
    public static string Escape(string text) => string.Join('/', text.Split('/').Select(EscapePart));

    /// <exception cref="StoreException">with <see cref="StoreError.BadName"/>.</exception>
    internal static void Require(string name)
    {
        if (!IsValid(name)) throw new StoreException(StoreError.BadName, "not the name of an object: it breaks the rules for names in the store");
    }

    private static bool IsValidPart(ReadOnlySpan<char> part) =>
        part.Length is >= 1 and <= MaxPartLength
        && !part.ContainsAnyExcept(Characters)
        && part[0] != '.'
        && part[^1] != '.'
        && !part.Contains("..", StringComparison.Ordinal)
        && !PathPart.IsDevice(part);

    private static string EscapePart(string part)
    {
        if (part.Length == 0) return "%";
        bool device = PathPart.IsDevice(part);
        int deviceEnd = part.IndexOf('.') is var dot && dot < 0 ? part.Length - 1 : dot - 1;
        StringBuilder escaped = new(part.Length);
        Span<byte> utf8 = stackalloc byte[4];
        for (int i = 0; i < part.Length;)
        {
            // A lone surrogate decodes to U+FFFD, so two of them could meet in one name: such text is refused.
            if (Rune.DecodeFromUtf16(part.AsSpan(i), out Rune rune, out int consumed) != OperationStatus.Done)
                throw new StoreException(StoreError.BadName, "the text has half a surrogate pair: it can't name an object");
            bool awkwardDot = part[i] == '.' && (i == 0 || i == part.Length - 1 || part[i - 1] == '.');
            if (consumed == 1 && PathPart.Characters.Contains(part[i]) && !awkwardDot && !(device && i == deviceEnd)) escaped.Append(part[i]);
            else foreach (byte b in utf8[..rune.EncodeToUtf8(utf8)]) escaped.Append('%').Append(b.ToString("X2", null));
            i += consumed;
        }
        return escaped.ToString();
    }
}
