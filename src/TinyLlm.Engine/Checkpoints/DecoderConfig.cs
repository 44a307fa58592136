using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>
/// What a decoder is, as data: every architecture that the engine knows is a choice of these members, and no code of the forward pass asks for
/// an architecture's name. Read from a checkpoint's config.json, which nobody vouches for.
/// </summary>
public sealed record DecoderConfig
{
    /// <summary>The class name of Hugging Face transformers, or one of ours for the character models.</summary>
    public required string Architecture { get; init; }

    /// <summary>Width of the residual stream (C).</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of an embedding; where it is not C, a matrix leads from it to C and another back.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>Multiplies an embedding as it is looked up.</summary>
    public double EmbeddingScale { get; init; } = 1;

    /// <summary>Learned positions; null: none.</summary>
    public PositionTable? Positions { get; init; }

    /// <summary>Tokens that the model knows (V).</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Most tokens of prompt and completion together.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Every layer, first to last; none: an embedding and an output.</summary>
    public required ImmutableArray<LayerOptions> Layers { get; init; }

    /// <summary>Layers.</summary>
    public int LayerCount => Layers.Length;

    /// <summary>Heads of queries (H).</summary>
    public int HeadCount { get; init; } = 1;

    /// <summary>Heads of keys and values; divides <see cref="HeadCount"/>.</summary>
    public int KeyValueHeadCount { get; init; } = 1;

    /// <summary>Width of a head (D).</summary>
    public int HeadSize { get; init; } = 1;

    /// <summary>Queries, keys and values have biases.</summary>
    public bool HasQueryKeyValueBias { get; init; }

    /// <summary>The attention's output has a bias.</summary>
    public bool HasAttentionOutputBias { get; init; }

    /// <summary>Queries and keys are normalised per head before rotation.</summary>
    public bool HasQueryKeyNorm { get; init; }

    /// <summary>Scores of attention become cap * tanh(score / cap); null: they stay.</summary>
    public double? AttentionLogitCap { get; init; }

    /// <summary>Width inside the MLP.</summary>
    public int IntermediateSize { get; init; } = 1;

    /// <summary>The MLP's nonlinearity.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>The MLP is down(act(gate(x)) * up(x)); otherwise down(act(up(x))).</summary>
    public bool HasGate { get; init; }

    /// <summary>The MLP's matrices have biases.</summary>
    public bool HasMlpBias { get; init; }

    /// <summary>How vectors are normalised.</summary>
    public NormKind Norm { get; init; } = NormKind.Rms;

    /// <summary>Added to the mean square before its root.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Where a layer normalises.</summary>
    public NormPlacement NormPlacement { get; init; } = NormPlacement.Before;

    /// <summary>Attention and MLP both see what came into the layer (GPT-J, NeoX); otherwise the MLP sees attention's sum.</summary>
    public bool HasParallelResidual { get; init; }

    /// <summary>The last layer's output is normalised.</summary>
    public bool HasFinalNorm { get; init; } = true;

    /// <summary>What makes logits.</summary>
    public required OutputMatrix Output { get; init; }

    /// <summary>The output has a bias.</summary>
    public bool HasOutputBias { get; init; }

    /// <summary>Logits become cap * tanh(logit / cap); null: they stay.</summary>
    public double? LogitCap { get; init; }

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
