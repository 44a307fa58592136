namespace TinyLlm.Text.PreTokenization;

/// <summary>Cuts text into the pieces that the model encodes each by itself. Safe for concurrent use.</summary>
internal abstract class PreTokenizer
{
    public abstract void Apply(PreTokenizedText text);
}
