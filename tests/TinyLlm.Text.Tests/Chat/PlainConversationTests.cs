namespace TinyLlm.Text.Tests.Chat;

public sealed class PlainConversationTests
{
    [Fact]
    public void Render_Conversation_IsTheTextsInTheirOrder()
    {
        ChatMessage[] messages = [new("system", "A story."), new("user", " Once "), new("assistant", "upon"), new("user", "a time")];

        Assert.Equal("A story.\n Once \nupon\na time", ChatTemplate.Plain.Render(messages, addGenerationPrompt: true));
        Assert.Equal(" Once ", ChatTemplate.Plain.Render(messages[1..2], addGenerationPrompt: true));
        Assert.Empty(ChatTemplate.Plain.StopSequences);
    }

    [Fact]
    public void Load_NoTemplate_IsNull() => Assert.Null(ChatTemplate.Load("""{"bos_token": "<s>"}"""u8, null));
}
