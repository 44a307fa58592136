namespace TinyLlm.Grains.Residency;

/// <summary>What of an owner's is in a silo's memory.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.ResidentBytes")]
public sealed record ResidentBytes
{
    /// <summary>Models, those counted that are being loaded, or unloaded.</summary>
    [Id(0)] public required int Models { get; init; }

    /// <summary>Bytes of their weights.</summary>
    [Id(1)] public required long Bytes { get; init; }

    /// <summary>Bytes of the prefix cache: of the owner's prompts to any model, and of anybody's prompts to the owner's models.</summary>
    [Id(2)] public long PrefixBytes { get; init; }

    /// <summary>Bytes of copies in the machine's memory, beside a device that has its own.</summary>
    [Id(3)] public long HostBytes { get; init; }

    /// <summary>Nothing.</summary>
    public static ResidentBytes None { get; } = new() { Models = 0, Bytes = 0 };
}
