using System.Collections.Immutable;
using System.Text.Json;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>Reads "prompt" of a plain completion: a text, a list of token ids, or a list that holds one of them.</summary>
internal static class PromptField
{
    private const int MaxIds = 1 << 20;

    public static SessionRequest Read(RequestFields fields, SessionRequest request)
    {
        if (fields.Take("prompt") is not { } prompt) throw RequestFields.Malformed("prompt", "is missing");
        if (prompt.ValueKind == JsonValueKind.Array && prompt.GetArrayLength() > 0 && prompt[0].ValueKind is JsonValueKind.String or JsonValueKind.Array)
        {
            if (prompt.GetArrayLength() > 1) throw RequestFields.Malformed("prompt", "several prompts in one request are not supported by this host: send one");
            prompt = prompt[0];
        }
        return prompt.ValueKind switch
        {
            JsonValueKind.String => request with { Prompt = RequestFields.Text(prompt, "prompt") },
            JsonValueKind.Array => request with { PromptIds = ReadIds(prompt) },
            _ => throw RequestFields.Malformed("prompt", "must be a string or a list of token ids"),
        };
    }

    private static ImmutableArray<int> ReadIds(JsonElement ids)
    {
        if (ids.GetArrayLength() is 0 or > MaxIds) throw RequestFields.Malformed("prompt", $"must have 1 to {MaxIds} token ids");
        ImmutableArray<int>.Builder read = ImmutableArray.CreateBuilder<int>(ids.GetArrayLength());
        foreach (JsonElement id in ids.EnumerateArray())
        {
            if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out int value)) throw RequestFields.Malformed("prompt", "token ids must be whole numbers");
            read.Add(value);
        }
        return read.MoveToImmutable();
    }
}
