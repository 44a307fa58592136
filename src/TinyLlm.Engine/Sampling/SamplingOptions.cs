using System.Collections.Immutable;

namespace TinyLlm.Engine;

/// <summary>
/// How the next token is chosen. Order and meaning are those of Hugging Face transformers' logits processors, and of vLLM for what only that has:
/// bias, repetition penalty, frequency and presence penalty, least length and constraint (which belong to the request), then temperature, top-k,
/// top-p, min-p.
/// </summary>
public sealed record SamplingOptions
{
    /// <summary>OpenAI's bound of a bias.</summary>
    public const double MaxBias = 100;

    /// <summary>OpenAI's bound of the presence and the frequency penalty.</summary>
    public const double MaxPenalty = 2;

    /// <summary>A repetition penalty beyond it, or below one over it, leaves no other token a chance: a choice.</summary>
    public const double MaxRepetitionPenalty = 10;

    /// <summary>0 takes the most likely token (the lowest id of equals). Otherwise logits are divided by it.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Keeps the smallest set of tokens whose probabilities, after <see cref="TopK"/>, sum to at least this. 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Keeps this many most likely tokens, and all that equal the last of them. 0: all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps tokens that are at least this share as likely as the most likely one. 0: all.</summary>
    public double MinP { get; init; }

    /// <summary>Is taken off the logit of each token that was generated already. From -2 to 2.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Is taken off the logit of each token once for every time that it was generated. From -2 to 2.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Divides the positive logits, and multiplies the negative ones, of tokens in prompt or completion (Keskar et al., CTRL, 2019). 1: off.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Is added to these tokens' logits before everything else. No id twice.</summary>
    public ImmutableArray<TokenBias> LogitBias { get; init; } = [];

    /// <summary>Starts the sequence's own random numbers.</summary>
    public ulong Seed { get; init; }

    /// <summary>Throws when a value is outside of its range, or a bias names an id outside of the vocabulary.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The message says which, and its bound.</exception>
    public void Validate(int vocabularySize)
    {
        Require(Temperature >= 0 && double.IsFinite(Temperature), "temperature", Temperature, "must be finite and at least 0");
        Require(TopP is >= 0 and <= 1, "top_p", TopP, "must be from 0 to 1");
        Require(TopK >= 0, "top_k", TopK, "must be at least 0 (0: off)");
        Require(MinP is >= 0 and <= 1, "min_p", MinP, "must be from 0 to 1");
        Require(Math.Abs(PresencePenalty) <= MaxPenalty, "presence_penalty", PresencePenalty, $"must be from -{MaxPenalty} to {MaxPenalty}");
        Require(Math.Abs(FrequencyPenalty) <= MaxPenalty, "frequency_penalty", FrequencyPenalty, $"must be from -{MaxPenalty} to {MaxPenalty}");
        Require(
            RepetitionPenalty is >= 1 / MaxRepetitionPenalty and <= MaxRepetitionPenalty,
            "repetition_penalty", RepetitionPenalty, FormattableString.Invariant($"must be from {1 / MaxRepetitionPenalty} to {MaxRepetitionPenalty}"));
        HashSet<int> ids = [];
        foreach ((int id, double bias) in LogitBias)
        {
            Require((uint)id < (uint)vocabularySize, "logit_bias", id, $"names an id outside of this model's vocabulary of 0 to {vocabularySize - 1}");
            Require(Math.Abs(bias) <= MaxBias, "logit_bias", bias, $"must be from -{MaxBias} to {MaxBias}");
            Require(ids.Add(id), "logit_bias", id, "names an id twice");
        }
    }

    private static void Require(bool holds, string field, object value, string rule)
    {
        if (!holds) throw new ArgumentOutOfRangeException(field, value, rule);
    }
}
