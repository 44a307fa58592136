namespace TinyLlm.Text;

/// <summary>A chat template that can't be used, or not on this conversation. Foreign text in the message is escaped and cut.</summary>
public sealed class ChatTemplateException : Exception
{
    public ChatTemplateException(ChatTemplateError error, string message)
        : base(message) => Error = error;

    public ChatTemplateException(ChatTemplateError error, string message, Exception innerException)
        : base(message, innerException) => Error = error;

    /// <summary>Which rule was broken.</summary>
    public ChatTemplateError Error { get; }
}
