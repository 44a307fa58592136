namespace TinyLlm.Text.Decoding;

/// <summary>Puts a space between tokens: what the reference does for a tokenizer without a decoder.</summary>
internal sealed class JoinStage(DecodeStage next) : DecodeStage(next)
{
    private bool isFirst = true;

    public override void Push(string text)
    {
        Next.Push(isFirst ? text : " " + text);
        isFirst = false;
    }
}
