using System.Collections.Immutable;

namespace TinyLlm.Grains.Sessions;

/// <summary>A prompt to tokenize: a text, or a conversation that the model's chat template renders. Exactly one of the two is set.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TokenizeSpec")]
public sealed record TokenizeSpec
{
    /// <summary>A plain prompt.</summary>
    [Id(0)] public string? Prompt { get; init; }

    /// <summary>A conversation.</summary>
    [Id(1)] public ImmutableArray<SessionMessage>? Messages { get; init; }

    /// <summary>Whether a plain prompt gets the tokenizer's special tokens, as a generation gives it.</summary>
    [Id(2)] public bool AddSpecialTokens { get; init; } = true;

    /// <summary>Whether a conversation ends where the assistant's next message begins, as a generation wants it.</summary>
    [Id(3)] public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>Whether the answer has the tokens' own texts.</summary>
    [Id(4)] public bool ReturnTokens { get; init; }
}
