using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>
/// What a deletion's receipt says; JSON, snake_case. It is told as <see cref="SignedReceipt"/>.
/// </summary>
public sealed record ForgetReceiptText
{
    /// <summary>"user", "model" or "version".</summary>
    public required string Kind { get; init; }

    /// <summary>What was deleted: "alice", "alice/stories" or "alice/stories@2".</summary>
    public required string Name { get; init; }

    /// <summary>The owner's internal id, which outlives the name in the operator's audit log.</summary>
    public required string Owner { get; init; }

    /// <summary>The internal ids of the versions whose bytes are gone.</summary>
    public required ImmutableArray<string> Versions { get; init; }

    /// <summary>Bytes that were stored.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>What was purged.</summary>
    public required ImmutableArray<string> Purged { get; init; }

    /// <summary>Silos that reported that nothing of it is in their memory.</summary>
    public required int Silos { get; init; }

    /// <summary>Silos that did not answer, and will drop what they hold when they do.</summary>
    public required int SilosSilent { get; init; }

    /// <summary>What the storage account's own retention still holds, and until when at the latest.</summary>
    public required ImmutableArray<RetainedCopy> Retained { get; init; }

    /// <summary>When all of this was done.</summary>
    public required DateTimeOffset CompletedAt { get; init; }
}

/// <summary>Copies that the host can't remove.</summary>
/// <param name="What">Which.</param>
/// <param name="Until">When they are gone at the latest.</param>
public sealed record RetainedCopy(string What, DateTimeOffset Until);

/// <summary>How receipts are written and read.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ForgetReceiptText))]
[JsonSerializable(typeof(SignedReceipt))]
internal sealed partial class ReceiptJson : JsonSerializerContext;
