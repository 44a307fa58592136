using System.Collections.Immutable;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Sessions;

/// <summary>One request to generate, as the session takes it: text or ids in, bounds already checked where they don't need the model.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionRequest")]
public sealed record SessionRequest
{
    /// <summary>A conversation, rendered by the model's chat template. Exactly one of the three prompts is set.</summary>
    [Id(0)] public ImmutableArray<SessionMessage>? Messages { get; init; }

    /// <summary>A plain prompt.</summary>
    [Id(1)] public string? Prompt { get; init; }

    /// <summary>A prompt that is tokenized already.</summary>
    [Id(2)] public ImmutableArray<int>? PromptIds { get; init; }

    /// <summary>The most tokens to generate; null: what the context leaves.</summary>
    [Id(3)] public int? MaxTokens { get; init; }

    /// <summary>Strings that end the answer, themselves not part of it.</summary>
    [Id(4)] public ImmutableArray<string> Stop { get; init; } = [];

    /// <summary>0 is greedy.</summary>
    [Id(5)] public double Temperature { get; init; } = 1;

    /// <summary>Probability mass that is sampled from; 1 is all.</summary>
    [Id(6)] public double TopP { get; init; } = 1;

    /// <summary>Most likely tokens that are sampled from; 0 is all.</summary>
    [Id(7)] public int TopK { get; init; }

    /// <summary>Seed of the sampling; the same seed, model and request give the same text.</summary>
    [Id(8)] public ulong Seed { get; init; }

    /// <summary>Least share of the likeliest token's probability that is sampled from; 0 is all.</summary>
    [Id(9)] public double MinP { get; init; }

    /// <summary>Taken off the logits of tokens that were generated.</summary>
    [Id(10)] public double PresencePenalty { get; init; }

    /// <summary>Taken off the logits of tokens for every time that they were generated.</summary>
    [Id(11)] public double FrequencyPenalty { get; init; }

    /// <summary>Divides the likelihood of tokens of prompt and answer; 1 is off.</summary>
    [Id(12)] public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Added to tokens' logits.</summary>
    [Id(13)] public ImmutableArray<SessionBias> LogitBias { get; init; } = [];

    /// <summary>Further tokens that end the answer, themselves not part of it.</summary>
    [Id(14)] public ImmutableArray<int> StopIds { get; init; } = [];

    /// <summary>Answers to give, each with a seed of its own.</summary>
    [Id(15)] public int Choices { get; init; } = 1;

    /// <summary>How many likeliest tokens come with each token's log-probability; null: no log-probabilities.</summary>
    [Id(16)] public int? TopLogprobs { get; init; }

    /// <summary>Whether answers begin with the prompt. With it, <see cref="MaxTokens"/> may be 0.</summary>
    [Id(17)] public bool Echo { get; init; }

    /// <summary>Whether the model's own end-of-text tokens do not end the answer.</summary>
    [Id(18)] public bool IgnoreEndOfText { get; init; }

    /// <summary>Tokens before which none ends the answer.</summary>
    [Id(19)] public int MinTokens { get; init; }

    /// <summary>Further variables for the chat template: a JSON object.</summary>
    [Id(20)] public string? TemplateVariables { get; init; }

    /// <summary>A JSON schema that the answer satisfies; null: free text.</summary>
    [Id(21)] public string? JsonSchema { get; init; }

    /// <summary>As what the silo is asked: whether it may decline.</summary>
    [Id(22)] public ServingPlace Place { get; init; }

    /// <summary>About what the model takes in memory; null: not known, and then no silo declines.</summary>
    [Id(23)] public long? ModelBytes { get; init; }

    /// <summary>How long the model shall stay after this answer; null: the request does not say. Counts from the model's owner alone.</summary>
    [Id(101)] public KeepAlive? KeepAlive { get; init; }

    /// <summary>The most tokens that the caller may have where <see cref="MaxTokens"/> names no bound; null: what the context leaves.</summary>
    [Id(100)] public int? TokenAllowance { get; init; }
}

/// <summary>One turn of a conversation.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionMessage")]
public sealed record SessionMessage
{
    /// <summary>Who speaks: system, user, assistant, ...</summary>
    [Id(0)] public required string Role { get; init; }

    /// <summary>What is said.</summary>
    [Id(1)] public required string Content { get; init; }
}
