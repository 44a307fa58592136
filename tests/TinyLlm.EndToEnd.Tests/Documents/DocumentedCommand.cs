namespace TinyLlm.EndToEnd.Tests.Documents;

/// <summary>Something that a document tells to type.</summary>
/// <param name="Document">Where it stands.</param>
/// <param name="Text">The line, or the words in backticks.</param>
/// <param name="IsMention">Whether it is named in a sentence, often without all its arguments, and not a line of a block of shell.</param>
internal sealed record DocumentedCommand(string Document, string Text, bool IsMention)
{
    public override string ToString() => $"{Document}: {Text}";
}
