namespace TinyLlm.Grains.Trust;

/// <summary>A public key whose signatures of models its user trusts.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TrustedKey")]
public sealed record TrustedKey
{
    /// <summary>What bundles call the key: <see cref="Storage.VerifyingKey.Hint"/>.</summary>
    [Id(0)] public required string Id { get; init; }

    /// <summary>What the user calls it.</summary>
    [Id(1)] public required string Name { get; init; }

    /// <summary>The public key.</summary>
    [Id(2)] public required string Pem { get; init; }

    /// <summary>Since when it is trusted.</summary>
    [Id(3)] public required DateTimeOffset AddedAt { get; init; }
}
