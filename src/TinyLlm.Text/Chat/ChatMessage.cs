namespace TinyLlm.Text;

/// <summary>One turn of a conversation. <paramref name="Role"/> is <c>system</c>, <c>user</c>, <c>assistant</c> or another that the template knows.</summary>
public sealed record ChatMessage(string Role, string Content);
