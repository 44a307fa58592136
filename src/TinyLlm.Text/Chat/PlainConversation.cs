using TinyLlm.Text.Jinja;

namespace TinyLlm.Text;

/// <summary>Writes a conversation as <see cref="ChatTemplate.Plain"/> describes.</summary>
internal static class PlainConversation
{
    public static string Render(IReadOnlyDictionary<string, JinjaValue> variables)
    {
        IReadOnlyList<JinjaValue> items = variables.GetValueOrDefault("messages") is JinjaValue.List list ? list.Items : throw Bad("'messages' must be a list");
        foreach (JinjaValue item in items) Field(item, "role");
        return string.Join('\n', items.Select(item => Field(item, "content")));
    }

    private static string Field(JinjaValue message, string name) => message is JinjaValue.Map map && map.Items.GetValueOrDefault(name) is JinjaValue.Text text
        ? text.Value
        : throw Bad($"'{name}' of each message must be a string");

    private static ChatTemplateException Bad(string what) => new(ChatTemplateError.BadOperation, $"the conversation can't be written: {what}");
}
