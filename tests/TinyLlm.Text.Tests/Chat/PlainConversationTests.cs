namespace TinyLlm.Text.Tests.Chat;

public sealed class PlainConversationTests
{
    [Fact]
    public void Render_Conversation_SystemFirstThenTurns()
    {
        ChatMessage[] messages = [new("user", " Hi "), new("system", "Be brief.\n"), new("assistant", "Hello"), new("user", "Who?"), new("tool", "x")];

        Assert.Equal("Be brief.\n\nUser: Hi\nAssistant: Hello\nUser: Who?\nTool: x\nAssistant:", ChatTemplate.Plain.Render(messages, addGenerationPrompt: true));
        Assert.Equal("User: Hi\n", ChatTemplate.Plain.Render(messages[..1], addGenerationPrompt: false));
        Assert.Equal(["\nUser:"], ChatTemplate.Plain.StopSequences);
    }

    [Fact]
    public void Load_NoTemplate_IsNull() => Assert.Null(ChatTemplate.Load("""{"bos_token": "<s>"}"""u8, null));
}
