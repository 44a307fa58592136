namespace TinyLlm.Text.Models;

/// <summary>Turns one pre-tokenized piece into ids. Knows no normalizer, added token or special token. Safe for concurrent use.</summary>
internal abstract class TokenModel
{
    /// <summary>Appends the ids of <paramref name="piece"/>, which is not empty.</summary>
    public abstract void Encode(ReadOnlySpan<char> piece, List<int> ids);
}
