using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>The internal, random id of one uploaded version of a model: <see cref="Length"/> base62 characters, never reused.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.VersionId")]
[JsonConverter(typeof(ParsableJsonConverter<VersionId>))]
public readonly record struct VersionId([property: Id(0)] string Value) : IParsable<VersionId>
{
    /// <summary>Characters of an id (131 bits: no two are ever alike).</summary>
    public const int Length = 22;

    /// <summary>A fresh id from the system's random source.</summary>
    public static VersionId New() => new(Base62.Random(Length));

    public static VersionId Parse(string text) => TryParse(text, out VersionId id) ? id : throw Invalid();

    public static VersionId Parse(string s, IFormatProvider? provider) => Parse(s);

    public static bool TryParse([NotNullWhen(true)] string? text, out VersionId id)
    {
        bool valid = text is { Length: Length } && Base62.IsBase62(text);
        id = valid ? new VersionId(text!) : default;
        return valid;
    }

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out VersionId result) => TryParse(s, out result);

    public override string ToString() => Value;

    private static FormatException Invalid() => new($"a version id is {Length} characters of 0-9, A-Z, a-z");
}
