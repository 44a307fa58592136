using System.Collections.Immutable;
using TinyLlm.Text;

namespace TinyLlm.Engine;

/// <summary>One sequence to generate.</summary>
public sealed record GenerationRequest
{
    /// <summary>At least one id of the model's vocabulary, fewer than its context length.</summary>
    public required ImmutableArray<int> PromptIds { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>At least 1. The model's context length bounds prompt and completion together.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>So many tokens are generated before a stop id may end the sequence.</summary>
    public int MinNewTokens { get; init; }

    /// <summary>What the output must look like; null: anything. It ends the sequence by itself when nothing can follow, and a stop id only when it is complete.</summary>
    public OutputConstraint? Constraint { get; init; }

    /// <summary>How many of the likeliest tokens each generated one comes with, beside its own log-probability; null: no log-probabilities.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>As <see cref="TopLogprobs"/>, for the prompt's tokens: <see cref="Generation.PromptLogprobs"/>.</summary>
    public int? PromptTopLogprobs { get; init; }

    /// <summary>Ids that end the sequence. They are not emitted.</summary>
    public ImmutableArray<int> StopIds { get; init; } = [];

    /// <summary>Whom the work is for: turns are shared out between callers, not sequences.</summary>
    public string Caller { get; init; } = "";
}
