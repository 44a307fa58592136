namespace TinyLlm.Text.Decoding;

/// <summary>Makes the suffix that ends a word (such as <c>&lt;/w&gt;</c>) a space, and nothing in the last token; so one token is always kept.</summary>
internal sealed class WordEndStage(DecodeStage next, string suffix) : DecodeStage(next)
{
    private string? kept;

    public override void Push(string text)
    {
        if (kept is not null) Next.Push(kept.Replace(suffix, " ", StringComparison.Ordinal));
        kept = text;
    }

    public override void End()
    {
        if (kept is not null) Next.Push(kept.Replace(suffix, "", StringComparison.Ordinal));
        kept = null;
        base.End();
    }
}
