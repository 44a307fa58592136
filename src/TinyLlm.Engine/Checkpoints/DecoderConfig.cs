using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>
/// What a decoder is, as data: every architecture that the engine knows is a choice of these members, and no code asks for an
/// architecture's name. Read from a checkpoint's config.json, which nobody vouches for.
/// </summary>
public sealed record DecoderConfig
{
    /// <summary>The class name of Hugging Face transformers.</summary>
    public required string Architecture { get; init; }

    /// <summary>Width of the residual stream (C).</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the gated MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Heads of queries (H).</summary>
    public required int HeadCount { get; init; }

    /// <summary>Heads of keys and values; divides <see cref="HeadCount"/>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Width of a head (D), even.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Tokens that the model knows (V).</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Most tokens of prompt and completion together.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Added to the mean square before its root.</summary>
    public required double NormEpsilon { get; init; }

    /// <summary>Positions.</summary>
    public required RopeOptions Rope { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta => Rope.Theta;

    /// <summary>The output matrix is the embedding's.</summary>
    public required bool TiedEmbeddings { get; init; }

    /// <summary>Queries, keys and values have biases.</summary>
    public bool HasQueryKeyValueBias { get; init; }

    /// <summary>The attention's output has a bias.</summary>
    public bool HasAttentionOutputBias { get; init; }

    /// <summary>The MLP's three matrices have biases.</summary>
    public bool HasMlpBias { get; init; }

    /// <summary>Queries and keys are normalised per head before rotation.</summary>
    public bool HasQueryKeyNorm { get; init; }

    /// <summary>Ids that end a text, when the model says.</summary>
    public ImmutableArray<int> EndOfTextIds { get; init; } = [];

    /// <summary>Reads config.json.</summary>
    /// <exception cref="ModelFormatException">It is no JSON object, its architecture is unknown, or a field is missing, out of bounds or unsupported.</exception>
    public static DecoderConfig Parse(ReadOnlySpan<byte> configJson) => DecoderConfigReader.Read(configJson);

    /// <summary>This, with the ids that end a text as generation_config.json has them, which is what generation goes by.</summary>
    /// <exception cref="ModelFormatException">It is no JSON object, or an id is no token.</exception>
    public DecoderConfig WithGenerationConfig(ReadOnlySpan<byte> generationConfigJson)
    {
        using ConfigFile file = ConfigFile.Parse("generation_config.json", generationConfigJson);
        return file.Has("eos_token_id") ? this with { EndOfTextIds = file.Ids("eos_token_id", VocabularySize) } : this;
    }
}
