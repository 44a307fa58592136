using System.Collections.Immutable;
using System.Text.Json;
using TinyLlm.Text.Files;
using TinyLlm.Text.Jinja;

namespace TinyLlm.Text;

/// <summary>
/// Turns a conversation into the prompt that a model was trained on. Templates are foreign programs: they run in an interpreter that knows plain data only
/// and counts its steps. Immutable and safe for concurrent use.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Func<IReadOnlyDictionary<string, JinjaValue>, string> render;

    private ChatTemplate(Func<IReadOnlyDictionary<string, JinjaValue>, string> render, IReadOnlyList<string> stopSequences)
    {
        this.render = render;
        StopSequences = stopSequences;
    }

    /// <summary>
    /// For base models, which were trained on plain text and on no conversation: the messages' texts in their order, joined by line breaks and otherwise
    /// unchanged. The model goes on where the last one ends.
    /// </summary>
    /// <remarks>
    /// Roles are not written: labels such as <c>User:</c> that a tiny model never met in training spoil its text (a story model answered
    /// "Once upon a time" under labels by repeating a name, and without them by a story).
    /// </remarks>
    public static ChatTemplate Plain { get; } = new(PlainConversation.Render, []);

    /// <summary>Texts at which the model's turn ends, besides its end-of-text tokens.</summary>
    public IReadOnlyList<string> StopSequences { get; }

    /// <summary>Reads a model's template; null when it has none.</summary>
    /// <param name="tokenizerConfigJson">tokenizer_config.json; empty when there is none.</param>
    /// <param name="chatTemplateJinja">chat_template.jinja's text, which goes before the template in tokenizer_config.json; null when there is none.</param>
    /// <exception cref="ChatTemplateException">The template is malformed, uses what is not supported, or is beyond a bound.</exception>
    /// <exception cref="TokenizerFormatException">tokenizer_config.json is malformed.</exception>
    public static ChatTemplate? Load(ReadOnlySpan<byte> tokenizerConfigJson, string? chatTemplateJinja) =>
        Load(tokenizerConfigJson, chatTemplateJinja, TimeProvider.System);

    /// <summary>As the other, for templates that write the date as <paramref name="time"/> has it.</summary>
    public static ChatTemplate? Load(ReadOnlySpan<byte> tokenizerConfigJson, string? chatTemplateJinja, TimeProvider time)
    {
        TokenizerConfig config = TokenizerConfig.Parse(tokenizerConfigJson);
        if ((chatTemplateJinja ?? config.ChatTemplate) is not { } source) return null;
        IReadOnlyList<JinjaStatement> template = JinjaParser.Parse(source);
        ImmutableDictionary<string, JinjaValue> tokens = ImmutableDictionary<string, JinjaValue>.Empty;
        if (config.BeginOfText is { } begin) tokens = tokens.Add("bos_token", JinjaValue.Of(begin));
        if (config.EndOfText is { } end) tokens = tokens.Add("eos_token", JinjaValue.Of(end));
        // Later values of a name win: a caller may say otherwise about the tokens.
        return new ChatTemplate(variables => JinjaInterpreter.Run(template, tokens.Concat(variables), time), []);
    }

    /// <summary>The prompt for <paramref name="messages"/>.</summary>
    /// <param name="messages">The conversation, oldest message first.</param>
    /// <param name="addGenerationPrompt">Whether the prompt ends where the assistant's next message begins.</param>
    /// <exception cref="ChatTemplateException">The template refuses the conversation, or a bound was met.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) => render(new Dictionary<string, JinjaValue>
    {
        ["messages"] = new JinjaValue.List([.. messages.Select(message => new JinjaValue.Map(new OrderedDictionary<string, JinjaValue>
        {
            ["role"] = JinjaValue.Of(message.Role),
            ["content"] = JinjaValue.Of(message.Content),
        }))]),
        ["add_generation_prompt"] = JinjaValue.Of(addGenerationPrompt),
    });

    /// <summary>The prompt for any plain data.</summary>
    /// <param name="variables">An object: <c>messages</c>, <c>add_generation_prompt</c>, and what else the template knows, such as <c>tools</c>.</param>
    /// <exception cref="ChatTemplateException">The template refuses the data, or a bound was met.</exception>
    public string Render(JsonElement variables) => variables.ValueKind == JsonValueKind.Object
        ? render(JinjaData.FromObject(variables))
        : throw new ChatTemplateException(ChatTemplateError.BadOperation, $"the variables must be an object, not {variables.ValueKind}");
}
