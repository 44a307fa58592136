using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>
/// The name of a user or of a model, as people type it: 1 to <see cref="MaxLength"/> of A-Z, a-z, 0-9, '.', '_', '-', a letter or digit first, no
/// "..", no '.' last, and no name that Windows takes for a device. Names are unique when <see cref="Folded"/>.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.EntityName")]
[JsonConverter(typeof(ParsableJsonConverter<EntityName>))]
public readonly record struct EntityName([property: Id(0)] string Value) : IParsable<EntityName>
{
    public const int MaxLength = 63;

    /// <summary>What a name must look like, for messages.</summary>
    public const string Rule =
        "1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit, without '..', not ending with '.', and not a device name such as 'con'";

    /// <summary>The form in which names are compared and looked up: lower case. Only ASCII is possible.</summary>
    public string Folded => Value.ToLowerInvariant();

    public static EntityName Parse(string text) =>
        TryParse(text, out EntityName name) ? name : throw new FormatException($"a name is {Rule}");

    public static EntityName Parse(string s, IFormatProvider? provider) => Parse(s);

    public static bool TryParse([NotNullWhen(true)] string? text, out EntityName name)
    {
        bool valid = text is { Length: >= 1 and <= MaxLength } && char.IsAsciiLetterOrDigit(text[0]) && PathPart.IsSafe(text);
        name = valid ? new EntityName(text!) : default;
        return valid;
    }

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out EntityName result) => TryParse(s, out result);

    public override string ToString() => Value;
}
