using System.Collections.Immutable;
using System.Text.Json;
using TinyLlm.Grains.Errors;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// Prompts become ids. What a text meets in the model's own files, a tokenizer whose rules blow it up or take too long, is a fault of the model
/// and not of this host.
/// </summary>
internal static class PromptText
{
    /// <summary>The ids of a text.</summary>
    public static int[] Encode(Tokenizer tokenizer, string text, bool addSpecialTokens, bool parseSpecialTokens)
    {
        try
        {
            return tokenizer.Encode(text, addSpecialTokens, parseSpecialTokens);
        }
        catch (TokenizerFormatException exception)
        {
            throw new RequestException(RequestError.ModelInvalid, $"The model's tokenizer can't encode this text: {exception.Message}.")
            {
                Detail = $"tokenizer_{WireCode.Of(exception.Error)}",
            };
        }
    }

    /// <summary>The ids of a conversation; <paramref name="variables"/> is a JSON object of more that the template may look at.</summary>
    public static int[] Encode(Tokenizer tokenizer, ChatTemplate template, ImmutableArray<SessionMessage> messages, bool addGenerationPrompt, string? variables = null)
    {
        // The plain template is text, and the tokenizer begins it as it begins any text. A template of the model's own writes the special
        // tokens itself.
        bool plain = ReferenceEquals(template, ChatTemplate.Plain);
        return Encode(tokenizer, Render(template, messages, addGenerationPrompt, variables), addSpecialTokens: plain, parseSpecialTokens: !plain);
    }

    public static TokenizeAnswer Tokenize(Tokenizer tokenizer, ChatTemplate template, TokenizeSpec spec)
    {
        int[] ids = spec.Messages is { } messages
            ? Encode(tokenizer, template, messages, spec.AddGenerationPrompt)
            : Encode(tokenizer, spec.Prompt ?? "", spec.AddSpecialTokens, parseSpecialTokens: false);
        return new TokenizeAnswer { Ids = [.. ids], Tokens = spec.ReturnTokens ? [.. ids.Select(id => tokenizer.Token(id) ?? "")] : null };
    }

    private static string Render(ChatTemplate template, ImmutableArray<SessionMessage> messages, bool addGenerationPrompt, string? variables)
    {
        try
        {
            return variables is null
                ? template.Render([.. messages.Select(message => new ChatMessage(message.Role, message.Content))], addGenerationPrompt)
                : template.Render(WithVariables(messages, addGenerationPrompt, variables));
        }
        catch (ChatTemplateException exception)
        {
            throw new RequestException(RequestError.Malformed, $"messages: {exception.Message}")
            {
                Parameter = "messages",
                Detail = $"chat_template_{WireCode.Of(exception.Error)}",
            };
        }
    }

    private static JsonElement WithVariables(ImmutableArray<SessionMessage> messages, bool addGenerationPrompt, string variables)
    {
        using JsonDocument given = JsonDocument.Parse(variables);
        Dictionary<string, object> all = given.RootElement.EnumerateObject().ToDictionary(property => property.Name, property => (object)property.Value);
        all.TryAdd("add_generation_prompt", addGenerationPrompt);
        all["messages"] = messages.Select(message => new { role = message.Role, content = message.Content });
        return JsonSerializer.SerializeToElement(all);
    }
}
