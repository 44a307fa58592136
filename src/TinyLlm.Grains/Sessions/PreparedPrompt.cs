using System.Collections.Immutable;
using TinyLlm.Engine;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>A request after its prompt became ids that fit the model's context.</summary>
internal sealed record PreparedPrompt
{
    public required ImmutableArray<int> Ids { get; init; }

    /// <summary>0: only the prompt is looked at.</summary>
    public required int MaxNewTokens { get; init; }

    public required ImmutableArray<int> StopIds { get; init; }

    public required ImmutableArray<string> Stop { get; init; }

    public required SamplingOptions Sampling { get; init; }

    public required int Choices { get; init; }

    public required int MinNewTokens { get; init; }

    public required int? TopLogprobs { get; init; }

    /// <summary>The prompt as text, where answers begin with it.</summary>
    public required string? Echo { get; init; }

    public required OutputConstraint? Constraint { get; init; }

    public GenerationRequest ToGenerationRequest(string caller, int choice) => new()
    {
        PromptIds = Ids,
        Sampling = Sampling with { Seed = SeedOf(choice) },
        MaxNewTokens = Math.Max(1, MaxNewTokens), // a prompt is looked at by generating one token, which nobody gets
        MinNewTokens = MinNewTokens,
        StopIds = StopIds,
        TopLogprobs = TopLogprobs,
        // The prompt is the same for all choices, so is what the model makes of it.
        PromptTopLogprobs = Echo is not null && choice == 0 ? TopLogprobs : null,
        Constraint = Constraint,
        Caller = caller,
    };

    /// <summary>The first choice has the request's own seed, the others have seeds far from it and from each other (the golden ratio's odd multiple).</summary>
    private ulong SeedOf(int choice) => unchecked(Sampling.Seed + (ulong)choice * 0x9e3779b97f4a7c15);
}
