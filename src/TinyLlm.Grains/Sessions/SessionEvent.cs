using System.Collections.Immutable;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// What a session answers, in order: <see cref="SessionAdmitted"/>, <see cref="SessionRefused"/> or <see cref="SessionDeclined"/> first; after admission any number of
/// <see cref="SessionDelta"/>, with several choices a <see cref="SessionChoiceEnded"/> for each, and exactly one <see cref="SessionEnded"/>. An enumeration that stops before that was cut.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionEvent")]
public abstract record SessionEvent;

/// <summary>The prompt is accepted; tokens follow.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionAdmitted")]
public sealed record SessionAdmitted : SessionEvent
{
    /// <summary>Tokens of the prompt, special ones included.</summary>
    [Id(0)] public required int PromptTokens { get; init; }

    /// <summary>What found no place on this silo's accelerator, or no room in its model's batch, when the first token was made.</summary>
    [Id(1)] public int Waiting { get; init; }
}

/// <summary>The request is refused before a token was made.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionRefused")]
public sealed record SessionRefused : SessionEvent
{
    /// <summary>Why.</summary>
    [Id(0)] public required RequestException Reason { get; init; }
}

/// <summary>The model is not worth its room on this silo, which was asked as the model's home: another one serves.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionDeclined")]
public sealed record SessionDeclined : SessionEvent;

/// <summary>Generated text.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionDelta")]
public sealed record SessionDelta : SessionEvent
{
    /// <summary>Whole characters; may be empty while a character or a possible stop string is incomplete.</summary>
    [Id(0)] public required string Text { get; init; }

    /// <summary>The tokens that were generated since the last delta.</summary>
    [Id(1)] public required ImmutableArray<int> Ids { get; init; }

    /// <summary>Which of the request's choices it belongs to.</summary>
    [Id(2)] public int Choice { get; init; }

    /// <summary>Log-probabilities of these tokens, or of the prompt's in the delta that echoes it; empty when not asked for.</summary>
    [Id(3)] public ImmutableArray<SessionLogprob> Logprobs { get; init; } = [];
}

/// <summary>One of several choices is complete.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionChoiceEnded")]
public sealed record SessionChoiceEnded : SessionEvent
{
    /// <summary>Which.</summary>
    [Id(0)] public required int Choice { get; init; }

    /// <summary>Why it ended.</summary>
    [Id(1)] public required SessionEnd Reason { get; init; }
}

/// <summary>The answer is complete, or ended by a fault.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SessionEnded")]
public sealed record SessionEnded : SessionEvent
{
    /// <summary>Why it ended; of several choices, the worst.</summary>
    [Id(0)] public required SessionEnd Reason { get; init; }

    /// <summary>Tokens of the prompt, counted once.</summary>
    [Id(1)] public required int PromptTokens { get; init; }

    /// <summary>Tokens that were generated, all choices together.</summary>
    [Id(2)] public required int CompletionTokens { get; init; }

    /// <summary>Of the prompt's tokens, those that the caller's prefix cache knew.</summary>
    [Id(3)] public int CachedTokens { get; init; }

    /// <summary>What failed, where the model or the request is at fault.</summary>
    [Id(4)] public RequestException? Fault { get; init; }
}

/// <summary>Why an answer ended.</summary>
public enum SessionEnd
{
    /// <summary>The model ended it, or a stop string did.</summary>
    Stop = 0,

    /// <summary>The bound on tokens or the context did.</summary>
    Length = 1,

    /// <summary>The reader was too slow for too long.</summary>
    SlowReader = 2,

    /// <summary>The engine failed, or nothing can be made of the model's output.</summary>
    Failed = 3,
}
