using System.Collections.Frozen;
using System.Globalization;

namespace TinyLlm.Engine;

/// <summary>What an architecture calls its tensors, and how its matrices lie: one row of <see cref="TensorNameTable"/>.</summary>
internal sealed record TensorNames
{
    /// <summary>Before every name but the output's. Checkpoints of the model without its output lack it.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Before a layer's number.</summary>
    public string LayerPrefix { get; init; } = "layers.";

    /// <summary>The names without .weight and .bias.</summary>
    public required FrozenDictionary<DecoderPart, string> Parts { get; init; }

    public QueryKeyValueLayout QueryKeyValue { get; init; } = QueryKeyValueLayout.Separate;

    /// <summary>Gate and up are one matrix, the gate above.</summary>
    public bool HasGateAboveUp { get; init; }

    /// <summary>Matrices of layers are (in, out) rather than (out, in).</summary>
    public bool IsInputFirst { get; init; }

    /// <summary>A layer's buffer of rotary frequencies, (R/2), that transformers once saved.</summary>
    public string? FrequencyBuffer { get; init; }

    /// <summary>A layer's buffer of the causal mask, (1, 1, context, context), that transformers once saved.</summary>
    public string? MaskBuffer { get; init; }

    /// <summary>A layer's buffer of what stands for minus infinity, one number.</summary>
    public string? MaskedScoreBuffer { get; init; }

    /// <summary>The full name without .weight or .bias.</summary>
    public string Of(DecoderPart part, int layer = 0)
    {
        string name = Parts[part];
        if (part == DecoderPart.Output) return name;
        return part < DecoderPart.AttentionNorm ? Prefix + name : InLayer(layer, name);
    }

    public string InLayer(int layer, string name) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{LayerPrefix}{layer}.{name}");

    /// <summary>These names as a checkpoint with such tensors has them: without the prefix if none of them has it.</summary>
    public TensorNames WithPrefixOf(IEnumerable<string> names) => names.Any(name => name.StartsWith(Prefix, StringComparison.Ordinal)) ? this : this with { Prefix = "" };
}
