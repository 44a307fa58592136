namespace TinyLlm.Text.Decoding;

/// <summary>Replaces a string in each token. After a fuse it is used for single characters only, which no border between tokens can cut.</summary>
internal sealed class ReplaceStage(DecodeStage next, string pattern, string content) : DecodeStage(next)
{
    public override void Push(string text)
    {
        if (content.Length > pattern.Length)
        {
            long found = text.AsSpan().Count(pattern);
            TokenizerLimits.CheckGrowth(text.Length + (found * (content.Length - pattern.Length)), text.Length);
        }
        Next.Push(text.Replace(pattern, content, StringComparison.Ordinal));
    }
}
