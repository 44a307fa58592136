using TinyLlm.Text.Files;

namespace TinyLlm.Text;

/// <summary>Turns a conversation into the prompt that a model was trained on. Immutable and safe for concurrent use.</summary>
public sealed class ChatTemplate
{
    private readonly Func<IReadOnlyList<ChatMessage>, bool, string> render;

    private ChatTemplate(Func<IReadOnlyList<ChatMessage>, bool, string> render, IReadOnlyList<string> stopSequences)
    {
        this.render = render;
        StopSequences = stopSequences;
    }

    /// <summary>
    /// For base models, which were trained on no conversation: the system messages' text first, each followed by a blank line; then each other message on a line of
    /// its own as <c>User: ...</c> or <c>Assistant: ...</c> (another role: its name with a capital first letter); at the end <c>Assistant:</c> for the model to go on.
    /// </summary>
    /// <remarks>
    /// Text is trimmed of white space at both ends. <c>Assistant:</c> is not followed by a space: with most vocabularies the space belongs to the next token.
    /// As such a model does not know when to stop, <see cref="StopSequences"/> ends its turn where it begins to write the user's.
    /// Messages are not escaped: who writes <c>\nAssistant:</c> into a message can put words into the model's mouth.
    /// </remarks>
    public static ChatTemplate Plain { get; } = new(PlainConversation.Render, [PlainConversation.StopSequence]);

    /// <summary>Texts at which the model's turn ends, besides its end-of-text tokens.</summary>
    public IReadOnlyList<string> StopSequences { get; }

    /// <summary>Reads a model's template; null when it has none.</summary>
    /// <param name="tokenizerConfigJson">tokenizer_config.json; empty when there is none.</param>
    /// <param name="chatTemplateJinja">chat_template.jinja's text, which goes before the template in tokenizer_config.json; null when there is none.</param>
    /// <exception cref="ChatTemplateException">The template is malformed or beyond a bound.</exception>
    /// <exception cref="TokenizerFormatException">tokenizer_config.json is malformed.</exception>
    public static ChatTemplate? Load(ReadOnlySpan<byte> tokenizerConfigJson, string? chatTemplateJinja)
    {
        string? source = chatTemplateJinja ?? TokenizerConfig.Parse(tokenizerConfigJson).ChatTemplate;
        if (source is null) return null;
        throw new ChatTemplateException(ChatTemplateError.BadSyntax, "Jinja templates are not supported");
    }

    /// <summary>The prompt for <paramref name="messages"/>.</summary>
    /// <param name="messages">The conversation, oldest message first.</param>
    /// <param name="addGenerationPrompt">Whether the prompt ends where the assistant's next message begins.</param>
    /// <exception cref="ChatTemplateException">The template refuses the conversation, or a bound was met.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt) => render(messages, addGenerationPrompt);
}
