namespace TinyLlm.Text.Decoding;

/// <summary>Makes the visible space character a space again; in the first token, the one that encoding put before the text is dropped.</summary>
internal sealed class MetaspaceStage(DecodeStage next, char replacement, bool dropFirst) : DecodeStage(next)
{
    private bool isFirst = true;

    public override void Push(string text)
    {
        string spaced = text.Replace(replacement, ' ');
        Next.Push(isFirst && dropFirst && text.StartsWith(replacement) ? spaced[1..] : spaced);
        isFirst = false;
    }
}
