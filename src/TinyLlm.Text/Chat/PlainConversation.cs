using System.Text;

namespace TinyLlm.Text;

/// <summary>Writes a conversation as <see cref="ChatTemplate.Plain"/> describes.</summary>
internal static class PlainConversation
{
    /// <summary>Where a model begins to write the user's turn.</summary>
    public const string StopSequence = "\nUser:";

    public static string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt)
    {
        StringBuilder prompt = new();
        foreach (ChatMessage message in messages)
        {
            if (message.Role == "system") prompt.Append(message.Content.Trim()).Append("\n\n");
        }
        foreach (ChatMessage message in messages)
        {
            if (message.Role != "system") prompt.Append(SpeakerOf(message.Role)).Append(": ").Append(message.Content.Trim()).Append('\n');
        }
        if (addGenerationPrompt) prompt.Append("Assistant:");
        return prompt.ToString();
    }

    private static string SpeakerOf(string role) => role.Length == 0 ? "User" : char.ToUpperInvariant(role[0]) + role[1..];
}
