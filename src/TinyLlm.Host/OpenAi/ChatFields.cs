using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>Reads "messages": roles and text. Content may be a string or a list of text parts; anything else is refused by its place.</summary>
internal static class ChatFields
{
    private const int MaxMessages = 4096;

    public static ImmutableArray<SessionMessage> ReadMessages(RequestFields fields)
    {
        if (fields.Take("messages") is not { ValueKind: JsonValueKind.Array } messages || messages.GetArrayLength() is 0 or > MaxMessages)
        {
            throw RequestFields.Malformed("messages", $"must be a list of 1 to {MaxMessages} messages");
        }
        ImmutableArray<SessionMessage>.Builder read = ImmutableArray.CreateBuilder<SessionMessage>(messages.GetArrayLength());
        foreach (JsonElement message in messages.EnumerateArray()) read.Add(ReadMessage(message, $"messages[{read.Count}]"));
        return read.MoveToImmutable();
    }

    private static SessionMessage ReadMessage(JsonElement message, string place)
    {
        if (message.ValueKind != JsonValueKind.Object) throw RequestFields.Malformed(place, "must be an object");
        foreach (string field in (ReadOnlySpan<string>)["tool_calls", "function_call", "audio", "tool_call_id"])
        {
            bool empty = !message.TryGetProperty(field, out JsonElement value)
                || value.ValueKind == JsonValueKind.Null
                || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);
            if (!empty) throw RequestFields.Malformed($"{place}.{field}", "is not supported by this host: leave it out");
        }
        if (!message.TryGetProperty("role", out JsonElement role) || role.ValueKind != JsonValueKind.String)
        {
            throw RequestFields.Malformed($"{place}.role", "must be a string");
        }
        if (!message.TryGetProperty("content", out JsonElement content)) throw RequestFields.Malformed($"{place}.content", "is missing");
        return new SessionMessage { Role = RequestFields.Text(role, $"{place}.role"), Content = ReadContent(content, $"{place}.content") };
    }

    private static string ReadContent(JsonElement content, string place)
    {
        if (content.ValueKind == JsonValueKind.String) return RequestFields.Text(content, place);
        if (content.ValueKind != JsonValueKind.Array) throw RequestFields.Malformed(place, "must be a string or a list of text parts");
        StringBuilder text = new();
        int index = 0;
        foreach (JsonElement part in content.EnumerateArray())
        {
            string partPlace = $"{place}[{index++}]";
            bool isText = part.ValueKind == JsonValueKind.Object
                && part.TryGetProperty("type", out JsonElement type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("text")
                && part.TryGetProperty("text", out JsonElement value) && value.ValueKind == JsonValueKind.String;
            if (!isText) throw RequestFields.Malformed(partPlace, "only parts of type \"text\" are supported by this host");
            text.Append(RequestFields.Text(part.GetProperty("text"), partPlace));
        }
        return text.ToString();
    }
}
