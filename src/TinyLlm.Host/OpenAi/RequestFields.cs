using System.Text.Json;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Host.OpenAi;

/// <summary>
/// The fields of a request in OpenAI's shape, each taken by name. Null counts as absent. What nobody took at the end would have been
/// ignored: a field that changes the answer is then refused, any other is named in a response header.
/// </summary>
internal sealed class RequestFields
{
    private readonly Dictionary<string, JsonElement> _left = [];

    public RequestFields(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) throw new RequestException(RequestError.Malformed, "The body must be a JSON object.");
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.Null) _left[property.Name] = property.Value;
        }
    }

    /// <summary>The element, or null when it is absent.</summary>
    public JsonElement? Take(string name) => _left.Remove(name, out JsonElement value) ? value : null;

    public string TakeRequiredString(string name) =>
        TakeString(name) ?? throw Malformed(name, "is missing");

    public string? TakeString(string name)
    {
        if (Take(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.String ? Text(value, name) : throw Malformed(name, "must be a string");
    }

    public bool TakeBoolean(string name)
    {
        if (Take(name) is not { } value) return false;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Malformed(name, "must be true or false");
    }

    public double TakeNumber(string name, double absent, double least, double most)
    {
        if (Take(name) is not { } value) return absent;
        bool inside = value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most;
        return inside ? value.GetDouble() : throw Malformed(name, FormattableString.Invariant($"must be a number from {least} to {most}"));
    }

    public long? TakeInteger(string name, long least, long most)
    {
        if (Take(name) is not { } value) return null;
        bool inside = value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= least && number <= most;
        return inside ? value.GetInt64() : throw Malformed(name, $"must be a whole number from {least} to {most}");
    }

    /// <summary>
    /// Refuses the first of <paramref name="unsupported"/> that is there with anything but an empty value or its default, and answers the
    /// names of the rest.
    /// </summary>
    public IReadOnlyList<string> Finish(IReadOnlyDictionary<string, object?> unsupported)
    {
        List<string> ignored = [];
        foreach ((string name, JsonElement value) in _left)
        {
            if (!unsupported.TryGetValue(name, out object? neutral)) ignored.Add(name);
            else if (!IsNeutral(value, neutral)) throw Malformed(name, "is not supported by this host: leave it out");
        }
        return ignored;
    }

    /// <summary>A string's text; one with half a surrogate pair is refused rather than replaced.</summary>
    public static string Text(JsonElement value, string name)
    {
        try
        {
            return value.GetString()!; // a string was checked for
        }
        catch (InvalidOperationException)
        {
            throw Malformed(name, "must be valid Unicode");
        }
    }

    public static RequestException Malformed(string name, string what) => new(RequestError.Malformed, $"{name}: {what}.") { Parameter = name };

    private static bool IsNeutral(JsonElement value, object? neutral) => value.ValueKind switch
    {
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().MoveNext(),
        JsonValueKind.String => neutral is string text && value.ValueEquals(text),
        JsonValueKind.Number => neutral is double number && value.TryGetDouble(out double given) && given == number,
        JsonValueKind.True => neutral is true,
        JsonValueKind.False => neutral is false,
        _ => true,
    };
}
