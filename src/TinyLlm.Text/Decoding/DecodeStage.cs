namespace TinyLlm.Text.Decoding;

/// <summary>
/// One step from tokens to text, with the state of one stream. A stage hands on what later tokens can't change any more and keeps the rest, so a stream's
/// pieces joined are the whole text decoded at once. Before a fuse each push is one whole token; after it, a part of the one fused token.
/// </summary>
internal abstract class DecodeStage(DecodeStage? next)
{
    protected DecodeStage Next => next ?? throw new InvalidOperationException("the last stage has no next one");

    public abstract void Push(string text);

    /// <summary>No more tokens: hands on what was kept.</summary>
    public virtual void End() => next?.End();
}
