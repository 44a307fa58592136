namespace TinyLlm.Text.Decoding;

/// <summary>Takes up to <paramref name="start"/> leading and <paramref name="stop"/> trailing characters off each token, as far as they are <paramref name="content"/>.</summary>
internal sealed class StripStage(DecodeStage next, char content, int start, int stop) : DecodeStage(next)
{
    public override void Push(string text)
    {
        int from = 0;
        while (from < start && from < text.Length && text[from] == content) from++;
        int to = text.Length;
        while (text.Length - to < stop && to > from && text[to - 1] == content) to--;
        Next.Push(text[from..to]);
    }
}
