namespace TinyLlm.Engine;

/// <summary>How the next token is chosen. Order and meaning of the filters: Hugging Face transformers' logits processors.</summary>
public sealed record SamplingOptions
{
    /// <summary>0 takes the most likely token (the lowest id of equals). Otherwise logits are divided by it.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Keeps the smallest set of tokens whose probabilities, after <see cref="TopK"/>, sum to at least this. 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Keeps this many most likely tokens, and all that equal the last of them. 0: all.</summary>
    public int TopK { get; init; }

    /// <summary>Starts the sequence's own random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>Throws when a value is outside of its range.</summary>
    public void Validate()
    {
        if (!(Temperature >= 0 && double.IsFinite(Temperature)))
            throw new ArgumentOutOfRangeException(nameof(Temperature), Temperature, "temperature is finite and at least 0");
        if (!(TopP is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(TopP), TopP, "top_p is from 0 to 1");
        if (TopK < 0) throw new ArgumentOutOfRangeException(nameof(TopK), TopK, "top_k is at least 0 (0: off)");
    }
}
