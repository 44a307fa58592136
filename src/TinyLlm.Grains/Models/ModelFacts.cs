namespace TinyLlm.Grains.Models;

/// <summary>What validation learned of a model: told to its owner, never trusted by a load.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.ModelFacts")]
public sealed record ModelFacts
{
    /// <summary>The architecture's name in config.json.</summary>
    [Id(0)] public required string Architecture { get; init; }

    /// <summary>Weights, in numbers.</summary>
    [Id(1)] public required long Parameters { get; init; }

    /// <summary>Tensors in all files.</summary>
    [Id(2)] public required int Tensors { get; init; }

    /// <summary>Bytes of all files together.</summary>
    [Id(3)] public required long StoredBytes { get; init; }

    /// <summary>Prompt and completion together, in tokens.</summary>
    [Id(4)] public required int ContextLength { get; init; }

    /// <summary>Entries of the vocabulary.</summary>
    [Id(5)] public required int VocabularySize { get; init; }

    /// <summary>What is known of a signature that was uploaded with the files; null where there was none.</summary>
    [Id(6)] public SignatureFacts? Signature { get; init; }
}
