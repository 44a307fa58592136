using System.Collections.Immutable;

namespace TinyLlm.Grains.Trust;

/// <summary>What a user asks of signatures that come with models.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TrustPolicy")]
public sealed record TrustPolicy
{
    /// <summary>The trusted keys, oldest first.</summary>
    [Id(0)] public required ImmutableArray<TrustedKey> Keys { get; init; }

    /// <summary>Whether a model without a signature by one of the keys is refused.</summary>
    [Id(1)] public required bool RequireTrustedSignature { get; init; }
}
