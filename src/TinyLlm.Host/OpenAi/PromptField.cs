using System.Text.Json;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>Reads "prompt" of a plain completion: a text, a list of token ids, or a list that holds one of them.</summary>
internal static class PromptField
{
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
            JsonValueKind.Array => request with { PromptIds = TokenIdsField.Read(prompt, "prompt") },
            _ => throw RequestFields.Malformed("prompt", "must be a string or a list of token ids"),
        };
    }
}
