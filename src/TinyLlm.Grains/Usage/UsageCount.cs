namespace TinyLlm.Grains.Usage;

/// <summary>What was used: of one model, on one day, or any other sum of it.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.UsageCount")]
public readonly record struct UsageCount
{
    /// <summary>Answers that were begun.</summary>
    [Id(0)] public long Requests { get; init; }

    /// <summary>Tokens of their prompts.</summary>
    [Id(1)] public long PromptTokens { get; init; }

    /// <summary>Those of them that a cache spared the model.</summary>
    [Id(2)] public long CachedTokens { get; init; }

    /// <summary>Tokens that were generated.</summary>
    [Id(3)] public long CompletionTokens { get; init; }

    /// <summary>How long answers held a place on an accelerator, summed.</summary>
    [Id(4)] public TimeSpan ModelTime { get; init; }

    public static UsageCount operator +(UsageCount left, UsageCount right) => new()
    {
        Requests = left.Requests + right.Requests,
        PromptTokens = left.PromptTokens + right.PromptTokens,
        CachedTokens = left.CachedTokens + right.CachedTokens,
        CompletionTokens = left.CompletionTokens + right.CompletionTokens,
        ModelTime = left.ModelTime + right.ModelTime,
    };
}
