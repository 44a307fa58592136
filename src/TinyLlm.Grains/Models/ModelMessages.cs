using System.Collections.Immutable;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Models;

/// <summary>An open upload, and until when its holder may write.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.UploadTicket")]
public sealed record UploadTicket
{
    /// <summary>Names the upload.</summary>
    [Id(0)] public required string UploadId { get; init; }

    /// <summary>The version that the upload will become.</summary>
    [Id(1)] public required VersionId Version { get; init; }

    /// <summary>When the upload is given up.</summary>
    [Id(2)] public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Names of the files that have been written so far.</summary>
    [Id(3)] public ImmutableArray<string> Files { get; init; } = [];
}

/// <summary>Who asks to write a file: the same in every repeat of one request, so that it does not stand in its own way.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.WriteClaim")]
public sealed record WriteClaim
{
    /// <summary>What the lease will be named.</summary>
    [Id(0)] public required string LeaseId { get; init; }

    /// <summary>The silo whose process writes: the right ends with it. Null for none in particular.</summary>
    [Id(1)] public SiloAddress? Silo { get; init; }

    /// <summary>A claim that nobody made before.</summary>
    public static WriteClaim New(SiloAddress? silo) => new() { LeaseId = RandomId.New("wr_"), Silo = silo };
}

/// <summary>
/// The right to write one file of an upload for a short time; renewed while bytes arrive. While one is held, the upload can't be committed
/// and nobody else writes that file.
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.WriteLease")]
public sealed record WriteLease
{
    /// <summary>Names the lease.</summary>
    [Id(0)] public required string LeaseId { get; init; }

    /// <summary>The version whose file is written.</summary>
    [Id(1)] public required VersionId Version { get; init; }

    /// <summary>The most bytes that the file may have.</summary>
    [Id(2)] public required long MaxBytes { get; init; }

    /// <summary>Renew before this much time has passed.</summary>
    [Id(3)] public required TimeSpan Lifetime { get; init; }

    /// <summary>What encrypts the file; null when it is stored as it is. It prints without its key.</summary>
    [Id(4)] public VersionKey? Key { get; init; }
}

/// <summary>Who asks to commit an upload: the same in every repeat of one request, so that it does not stand in its own way.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.CommitClaim")]
public sealed record CommitClaim
{
    /// <summary>What the commit will be named.</summary>
    [Id(0)] public required string CommitId { get; init; }

    /// <summary>The silo whose process commits: when it is gone, anyone may. Null for none in particular.</summary>
    [Id(1)] public SiloAddress? Silo { get; init; }

    /// <summary>A claim that nobody made before.</summary>
    public static CommitClaim New(SiloAddress? silo) => new() { CommitId = RandomId.New("cm_"), Silo = silo };
}

/// <summary>The right to validate and publish an upload; or, when it was published before, the version that it became.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.CommitTicket")]
public sealed record CommitTicket
{
    /// <summary>The version that the upload will become.</summary>
    [Id(0)] public required VersionId Version { get; init; }

    /// <summary>Names of the files that were written.</summary>
    [Id(1)] public required ImmutableArray<string> Files { get; init; }

    /// <summary>What an earlier commit of the same upload published.</summary>
    [Id(2)] public PublishedVersion? Published { get; init; }

    /// <summary>What the files are encrypted with; null when they are stored as they are. It prints without its key.</summary>
    [Id(3)] public VersionKey? Key { get; init; }

    /// <summary>PEM of the keys whose signatures the owner trusts.</summary>
    [Id(4)] public ImmutableArray<string> TrustedKeys { get; init; } = [];
}

/// <summary>A version that exists.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.PublishedVersion")]
public sealed record PublishedVersion
{
    /// <summary>The owner's name.</summary>
    [Id(0)] public required string Owner { get; init; }

    /// <summary>The model's name.</summary>
    [Id(1)] public required string Model { get; init; }

    /// <summary>The version's number.</summary>
    [Id(2)] public required int Number { get; init; }

    /// <summary>Hexadecimal SHA-256 of the manifest.</summary>
    [Id(3)] public required string ManifestDigest { get; init; }

    /// <summary>When it was published.</summary>
    [Id(4)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What validation learned.</summary>
    [Id(5)] public required ModelFacts Facts { get; init; }

    /// <summary>The internal id.</summary>
    [Id(6)] public required VersionId Version { get; init; }

    /// <summary>Whether the model's bare name means this version.</summary>
    [Id(7)] public bool Current { get; init; }

    /// <summary>Whether a signature came with the files that a key made which the owner trusted then and trusts now.</summary>
    [Id(8)] public bool HasTrustedSignature { get; init; }
}
