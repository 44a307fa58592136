using System.Text;
using TinyLlm.Text.Jinja;

namespace TinyLlm.Text;

/// <summary>Writes a conversation as <see cref="ChatTemplate.Plain"/> describes.</summary>
internal static class PlainConversation
{
    /// <summary>Where a model begins to write the user's turn.</summary>
    public const string StopSequence = "\nUser:";

    public static string Render(IReadOnlyDictionary<string, JinjaValue> variables)
    {
        IReadOnlyList<JinjaValue> items = variables.GetValueOrDefault("messages") is JinjaValue.List list ? list.Items : throw Bad("'messages' must be a list");
        List<(string Role, string Content)> messages = [.. items.Select(item => (Field(item, "role"), Field(item, "content")))];
        StringBuilder prompt = new();
        foreach ((string role, string content) in messages)
        {
            if (role == "system") prompt.Append(content.Trim()).Append("\n\n");
        }
        foreach ((string role, string content) in messages)
        {
            if (role != "system") prompt.Append(SpeakerOf(role)).Append(": ").Append(content.Trim()).Append('\n');
        }
        if (variables.GetValueOrDefault("add_generation_prompt") is { IsTrue: true }) prompt.Append("Assistant:");
        return prompt.ToString();
    }

    private static string SpeakerOf(string role) => role.Length == 0 ? "User" : char.ToUpperInvariant(role[0]) + role[1..];

    private static string Field(JinjaValue message, string name) => message is JinjaValue.Map map && map.Items.GetValueOrDefault(name) is JinjaValue.Text text
        ? text.Value
        : throw Bad($"'{name}' of each message must be a string");

    private static ChatTemplateException Bad(string what) => new(ChatTemplateError.BadOperation, $"the conversation can't be written: {what}");
}
