using System.Collections.Frozen;
using System.Text.Json;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>A request to tokenize in vLLM's shape: a prompt, or messages.</summary>
internal sealed record TokenizeFields(string Model, TokenizeSpec Spec)
{
    /// <summary>Fields that would change the answer and that nothing here implements, with the value that changes nothing.</summary>
    private static readonly FrozenDictionary<string, object?> Unsupported = new Dictionary<string, object?>
    {
        ["chat_template"] = null,
        ["chat_template_kwargs"] = null,
        ["continue_final_message"] = false,
        ["tools"] = null,
    }.ToFrozenDictionary();

    public static TokenizeFields Read(RequestFields fields, out IReadOnlyList<string> ignored)
    {
        string model = fields.TakeRequiredString("model");
        bool? addSpecialTokens = Flag(fields, "add_special_tokens");
        TokenizeSpec spec = new() { ReturnTokens = Flag(fields, "return_token_strs") ?? false };
        if (fields.Take("prompt") is { } prompt)
        {
            if (prompt.ValueKind != JsonValueKind.String) throw RequestFields.Malformed("prompt", "must be a string");
            spec = spec with { Prompt = RequestFields.Text(prompt, "prompt"), AddSpecialTokens = addSpecialTokens ?? true };
        }
        else
        {
            // A template writes the special tokens itself; the plain one is text, and its first token is what a generation would see too.
            if (addSpecialTokens == true) throw RequestFields.Malformed("add_special_tokens", "is for a prompt: the chat template decides about messages");
            spec = spec with { Messages = ChatFields.ReadMessages(fields), AddGenerationPrompt = Flag(fields, "add_generation_prompt") ?? true };
        }
        ignored = fields.Finish(Unsupported);
        return new TokenizeFields(model, spec);
    }

    private static bool? Flag(RequestFields fields, string name) => fields.Take(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True or JsonValueKind.False } value => value.GetBoolean(),
        _ => throw RequestFields.Malformed(name, "must be true or false"),
    };
}
