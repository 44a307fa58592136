using System.Collections.Frozen;

namespace TinyLlm.Text.Constraints;

/// <summary>The values of <c>format</c> that output is held to, each as a pattern; any other is an annotation, as JSON Schema says.</summary>
internal static class StringFormats
{
    private const string Date =
        @"(\d{4}-(0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|\d{4}-(0[469]|11)-(0[1-9]|[12]\d|30)|\d{4}-02-(0[1-9]|1\d|2[0-8])|"
        + @"(\d\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";

    private const string Time = @"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)";
    private const string Byte = @"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)";
    private const string Label = @"[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?";

    // RFC 3339; leap seconds are left out, for they depend on the date.
    private static readonly FrozenDictionary<string, string> Patterns = new Dictionary<string, string>
    {
        ["date"] = Anchored(Date),
        ["time"] = Anchored(Time),
        ["date-time"] = Anchored(Date + "T" + Time),
        ["uuid"] = Anchored("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
        ["ipv4"] = Anchored($@"({Byte}\.){{3}}{Byte}"),
        ["hostname"] = Anchored($@"{Label}(\.{Label}){{0,7}}"),
        ["email"] = Anchored($@"[A-Za-z0-9_+-]{{1,32}}(\.[A-Za-z0-9_+-]{{1,31}})?@({Label}\.){{1,3}}[A-Za-z]{{2,24}}"),
    }.ToFrozenDictionary();

    /// <summary>Null for an annotation.</summary>
    public static string? PatternOf(string format) => Patterns.GetValueOrDefault(format);

    private static string Anchored(string pattern) => $"^({pattern})$";
}
