using TinyLlm.Text.Models;
using TinyLlm.Text.Patterns;

namespace TinyLlm.Text.PreTokenization;

/// <summary>Writes each piece's UTF-8 bytes as characters of <see cref="ByteAlphabet"/>, after cutting it by GPT-2's pattern if asked to.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool usePattern) : PreTokenizer
{
    private static readonly SplitPreTokenizer Words = new(new GptTwoMatcher(isScript: true), SplitBehavior.Isolated, invert: false);

    public override void Apply(PreTokenizedText text)
    {
        if (addPrefixSpace) text.Rewrite((piece, _, result) => result.Append(piece[0] == ' ' ? "" : " ").Append(piece));
        if (usePattern) Words.Apply(text);
        text.Rewrite(static (piece, _, result) => ByteAlphabet.AppendBytes(piece, result));
    }
}
