using System.Collections.Immutable;
using System.Text.Json;

namespace TinyLlm.Engine;

/// <summary>A JSON object of a checkpoint, read field by field, each with its bounds. A field that is null counts as absent.</summary>
internal sealed class ConfigFile : IDisposable
{
    /// <summary>Real ones have 1 to 10 KB; those with a label for each of 20,000 classes have 1 MB.</summary>
    public const int MaxBytes = 4 << 20;

    private const int MaxDepth = 16, MaxEndOfTextIds = 64;

    private readonly JsonDocument? _document;
    private readonly JsonElement _object;
    private readonly string _name, _prefix;

    private ConfigFile(string name, string prefix, JsonElement element, JsonDocument? document)
    {
        _name = name;
        _prefix = prefix;
        _object = element;
        _document = document;
    }

    public static ConfigFile Parse(string name, ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes) throw TooLarge(name, json.Length, MaxBytes);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { MaxDepth = MaxDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException exception)
        {
            throw new ModelFormatException(
                ModelFormatError.NotJson, name, $"{name} is not JSON with distinct names and at most {MaxDepth} levels: {ForeignText.Cut(exception.Message)}",
                inner: exception);
        }
        JsonValueKind kind = document.RootElement.ValueKind;
        if (kind == JsonValueKind.Object) return new ConfigFile(name, "", document.RootElement, document);
        document.Dispose();
        throw new ModelFormatException(ModelFormatError.NotJson, name, $"{name} is a JSON {kind}, and must be an object");
    }

    public static ModelFormatException TooLarge(string name, long bytes, int maxBytes) => new(
        ModelFormatError.FileTooLarge, name, $"{name} has {bytes} bytes, and may have {maxBytes}: no real model needs more");

    public void Dispose() => _document?.Dispose();

    public bool Has(string field) => TryGet(field, out _);

    /// <summary>Whether the field is there as null, where that means something else than its absence.</summary>
    public bool IsNull(string field) => _object.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.Null;

    public ConfigFile? Object(string field)
    {
        if (!TryGet(field, out JsonElement value)) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Bad(field, value, "an object");
        return new ConfigFile(_name, _prefix + field + ".", value, null);
    }

    /// <summary>A whole number; without <paramref name="absent"/> the field must be there.</summary>
    public int Int(string field, int least, int most, int? absent = null)
    {
        if (!TryGet(field, out JsonElement value)) return absent ?? throw Missing(field);
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out long number))
        {
            // 1e400 and 0.5 are numbers, but not these.
            throw Bad(field, value, $"a whole number from {least} to {most}");
        }
        return number >= least && number <= most ? (int)number : throw OutOfRange(field, number, least, most);
    }

    public double Number(string field, double least, double most, double? absent = null)
    {
        if (!TryGet(field, out JsonElement value)) return absent ?? throw Missing(field);
        if (value.ValueKind != JsonValueKind.Number) throw Bad(field, value, $"a number from {least} to {most}");
        double number = value.GetDouble();
        return number >= least && number <= most ? number : throw OutOfRange(field, number, least, most);
    }

    public bool Bool(string field, bool absent)
    {
        if (!TryGet(field, out JsonElement value)) return absent;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Bad(field, value, "true or false");
    }

    public string? Text(string field)
    {
        if (!TryGet(field, out JsonElement value)) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Bad(field, value, "a string");
    }

    public ImmutableArray<string> Texts(string field)
    {
        if (!TryGet(field, out JsonElement value)) return [];
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw Bad(field, value, "an array of strings");
        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    public ImmutableArray<double> Numbers(string field, int count, double least, double most)
    {
        if (!TryGet(field, out JsonElement value)) throw Missing(field);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != count || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Number))
            throw Bad(field, value, $"an array of {count} numbers");
        ImmutableArray<double> numbers = [.. value.EnumerateArray().Select(item => item.GetDouble())];
        foreach (double number in numbers)
        {
            if (!(number >= least && number <= most)) throw OutOfRange(field, number, least, most);
        }
        return numbers;
    }

    /// <summary>GPT-Neo's way of writing a list: [[["global", "local"], 6]] is both, six times. Cut at <paramref name="most"/> items.</summary>
    public ImmutableArray<string> RepeatedTexts(string field, int most)
    {
        if (!TryGet(field, out JsonElement value)) throw Missing(field);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > most) throw BadRepeat();
        ImmutableArray<string>.Builder texts = ImmutableArray.CreateBuilder<string>();
        foreach (JsonElement run in value.EnumerateArray())
        {
            if (run.ValueKind != JsonValueKind.Array || run.GetArrayLength() != 2) throw BadRepeat();
            if (run[0].ValueKind != JsonValueKind.Array || run[0].GetArrayLength() == 0 || run[0].EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String)) throw BadRepeat();
            if (run[1].ValueKind != JsonValueKind.Number || !run[1].TryGetInt64(out long times) || times < 0) throw BadRepeat();
            for (long i = 0; i < times && texts.Count <= most; i++) texts.AddRange(run[0].EnumerateArray().Select(item => item.GetString()!));
        }
        return texts.ToImmutable();

        ModelFormatException BadRepeat() => Bad(field, value, $"an array of pairs [[names...], times] with at most {most} names in all");
    }

    /// <summary>One id or an array of them, each of the vocabulary.</summary>
    public ImmutableArray<int> Ids(string field, int vocabularySize)
    {
        if (!TryGet(field, out JsonElement value)) return [];
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Take(MaxEndOfTextIds + 1)] : [value];
        if (items.Length > MaxEndOfTextIds) throw OutOfRange(field + "'s length", value.GetArrayLength(), 0, MaxEndOfTextIds);
        ImmutableArray<int>.Builder ids = ImmutableArray.CreateBuilder<int>(items.Length);
        foreach (JsonElement item in items)
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out long id)) throw Bad(field, item, "an id or an array of ids");
            if (id < 0 || id >= vocabularySize) throw OutOfRange(field, id, 0, vocabularySize - 1);
            ids.Add((int)id);
        }
        return ids.ToImmutable();
    }

    public ModelFormatException Unsupported(string field, string supported)
    {
        string value = TryGet(field, out JsonElement element) ? ForeignText.Quote(element.GetRawText()) : "absent";
        return new(ModelFormatError.UnsupportedField, _name, $"{_name}: {_prefix}{field} is {value}, and the engine supports {supported}: without it the model would answer wrongly");
    }

    public ModelFormatException Disagree(string message) => new(ModelFormatError.FieldsDisagree, _name, $"{_name}: {message}");

    private bool TryGet(string field, out JsonElement value) => _object.TryGetProperty(field, out value) && value.ValueKind != JsonValueKind.Null;

    private ModelFormatException Missing(string field) => new(
        ModelFormatError.MissingField, _name, $"{_name}: {_prefix}{field} is missing, and has no default: take the configuration that belongs to the weights");

    private ModelFormatException Bad(string field, JsonElement value, string wanted) => new(
        ModelFormatError.BadField, _name, $"{_name}: {_prefix}{field} is {ForeignText.Quote(value.GetRawText())}, and must be {wanted}");

    private ModelFormatException OutOfRange<T>(string field, T value, T least, T most) => new(
        ModelFormatError.FieldOutOfRange, _name, FormattableString.Invariant($"{_name}: {_prefix}{field} is {value}, and must be from {least} to {most}"));
}
