using System.Collections.Immutable;
using TinyLlm.Text.AddedTokens;
using TinyLlm.Text.Decoding;
using TinyLlm.Text.Models;
using TinyLlm.Text.Normalization;
using TinyLlm.Text.PostProcessing;
using TinyLlm.Text.PreTokenization;

namespace TinyLlm.Text;

/// <summary>What a <see cref="Tokenizer"/> is made of, whichever file format said so.</summary>
internal sealed record TokenizerParts
{
    public required Vocabulary Vocabulary { get; init; }

    public required AddedTokenSet AddedTokens { get; init; }

    public required Normalizer Normalizer { get; init; }

    public required IReadOnlyList<PreTokenizer> PreTokenizers { get; init; }

    public required TokenModel Model { get; init; }

    public required PostProcessor PostProcessor { get; init; }

    /// <summary>Makers of the stages, first stage first.</summary>
    public required ImmutableArray<Func<DecodeStage, DecodeStage>> Decoder { get; init; }

    /// <summary>The id of a token that a file names in <paramref name="where"/>.</summary>
    public static int RequireId(AddedTokenSet addedTokens, Vocabulary vocabulary, string token, string where) =>
        addedTokens.Find(token) ?? vocabulary.Require(token, where);
}
