using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>A user's internal, random id: <see cref="Length"/> base62 characters. Grain keys and storage paths are made of it, never of a name.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.UserId")]
[JsonConverter(typeof(ParsableJsonConverter<UserId>))]
public readonly record struct UserId([property: Id(0)] string Value) : IParsable<UserId>
{
    /// <summary>Characters of an id (59 bits; a grain per name keeps them apart all the same).</summary>
    public const int Length = 10;

    /// <summary>A fresh id from the system's random source.</summary>
    public static UserId New() => new(Base62.Random(Length));

    public static UserId Parse(string text) => TryParse(text, out UserId id) ? id : throw Invalid();

    public static UserId Parse(string s, IFormatProvider? provider) => Parse(s);

    public static bool TryParse([NotNullWhen(true)] string? text, out UserId id)
    {
        bool valid = text is { Length: Length } && Base62.IsBase62(text);
        id = valid ? new UserId(text!) : default;
        return valid;
    }

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out UserId result) => TryParse(s, out result);

    public override string ToString() => Value;

    private static FormatException Invalid() => new($"a user id is {Length} characters of 0-9, A-Z, a-z");
}
