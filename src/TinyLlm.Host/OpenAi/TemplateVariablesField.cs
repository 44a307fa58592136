using System.Text.Json;

namespace TinyLlm.Host.OpenAi;

/// <summary>Reads "chat_template_kwargs": plain data for the model's chat template, such as {"enable_thinking": false}.</summary>
internal static class TemplateVariablesField
{
    private const string Name = "chat_template_kwargs";
    private const int MaxCharacters = 16 << 10;

    /// <summary>A JSON object as text; null when there is none.</summary>
    public static string? Read(RequestFields fields)
    {
        if (fields.Take(Name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0) return null;
        if (value.ValueKind != JsonValueKind.Object) throw RequestFields.Malformed(Name, "must be an object");
        string text = value.GetRawText();
        if (text.Length > MaxCharacters) throw RequestFields.Malformed(Name, $"may have {MaxCharacters} characters of JSON, and has {text.Length}");
        if (value.TryGetProperty("messages", out _)) throw RequestFields.Malformed(Name, "may not name the messages: send them as \"messages\"");
        return value.EnumerateObject().MoveNext() ? text : null;
    }
}
