namespace TinyLlm.Text.Decoding;

/// <summary><see cref="StripStage"/> after a fuse: the one token comes in parts, so leading characters are counted and trailing ones kept back.</summary>
internal sealed class FusedStripStage(DecodeStage next, char content, int start, int stop) : DecodeStage(next)
{
    private int leading;
    private bool pastLeading;
    private int trailing;

    public override void Push(string text)
    {
        int from = 0;
        if (!pastLeading)
        {
            while (from < text.Length && leading < start && text[from] == content)
            {
                from++;
                leading++;
            }
            pastLeading = from < text.Length || leading == start;
        }
        if (from == text.Length) return;
        // What was kept back was not the end after all, but what follows may be.
        string held = new string(content, trailing) + text[from..];
        int to = held.Length;
        while (held.Length - to < stop && to > 0 && held[to - 1] == content) to--;
        trailing = held.Length - to;
        if (to > 0) Next.Push(held[..to]);
    }
}
