namespace TinyLlm.Grains.Models;

/// <summary>What a commit found of a signature that came with a model's files. That it covers exactly those files is settled: else there is no version.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.SignatureFacts")]
public sealed record SignatureFacts
{
    /// <summary>
    /// The key that made it, as <see cref="Storage.VerifyingKey.Hint"/> has it, if <see cref="IsVerified"/>; else the one that the file names, or null.
    /// </summary>
    [Id(0)] public string? Key { get; init; }

    /// <summary>Whether one of the keys that the owner trusted at the commit made it.</summary>
    [Id(1)] public bool IsVerified { get; init; }
}
