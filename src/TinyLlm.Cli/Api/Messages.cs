using System.Text.Json.Serialization;

namespace TinyLlm.Cli.Api;

internal sealed record NewUser(string Id);

internal sealed record CreatedUser(string Id, string Token);

internal sealed record Caller(string Id);

internal sealed record BegunUpload(string Id);

/// <summary>Every file that the upload must have at its commit, and no other.</summary>
internal sealed record ExpectedFiles(IReadOnlyList<ExpectedFile> Files);

internal sealed record ExpectedFile(string Name, string Sha256);

internal sealed record CommittedModel(string Owner, string Model, int Version, string Digest);

/// <summary>One entry of the models that the caller may use; what an older or newer host leaves out stays null.</summary>
internal sealed record ModelEntry
{
    public required string Owner { get; init; }

    public required string Model { get; init; }

    public int? Version { get; init; }

    public string? Digest { get; init; }

    public string? Architecture { get; init; }

    public long? Parameters { get; init; }

    public long? Bytes { get; init; }

    public bool? Current { get; init; }

    public SignatureEntry? Signature { get; init; }
}

/// <summary>The signature that a version was uploaded with: none, untrusted or trusted.</summary>
internal sealed record SignatureEntry(string State);

internal sealed record VersionList(IReadOnlyList<ModelEntry> Versions);

internal sealed record CurrentVersion(int Version);

/// <summary>One model with its files.</summary>
internal sealed record ModelDetail(ModelEntry Model, IReadOnlyList<FileEntry> Files);

internal sealed record FileEntry(string Name, long Bytes, string Sha256);

internal sealed record HostSigningKey(string PublicKey);

/// <summary>What silos have in memory, and the silos that did not say.</summary>
internal sealed record ResidentList(IReadOnlyList<ResidentModel> Models, IReadOnlyList<string> Silent);

/// <summary>A model in the memory of one silo.</summary>
internal sealed record ResidentModel(
    string Model, string Owner, string VersionId, string Silo, long Bytes, string Precision, int Streams, DateTimeOffset? ExpiresAt, bool Pinned);

internal sealed record ModelList(IReadOnlyList<ModelEntry> Models);

/// <summary>A token to make; what is null is as the caller's own.</summary>
internal sealed record NewToken(string Name, IReadOnlyList<string>? Scopes, IReadOnlyList<string>? Models, DateTimeOffset? ExpiresAt);

internal sealed record CreatedToken(string Id, string Token);

internal sealed record TokenRotation(int GraceSeconds);

internal sealed record RotatedToken(string Id, string Token, DateTimeOffset OldValidUntil);

/// <summary>One access token as lists tell it; its text is in none.</summary>
internal sealed record TokenEntry(
    string Id, string Name, IReadOnlyList<string> Scopes, IReadOnlyList<string>? Models, DateTimeOffset? ExpiresAt = null, DateTimeOffset? LastUsedAt = null);

internal sealed record TokenList(IReadOnlyList<TokenEntry> Tokens);

/// <summary>A grant to make.</summary>
internal sealed record NewGrant(IReadOnlyList<string>? Rights, DateTimeOffset? ExpiresAt, long? TokenBudget);

/// <summary>A public key whose signatures of models are to be trusted.</summary>
internal sealed record NewTrustedKey(string Name, string PublicKey);

internal sealed record TrustedKeyEntry(string Id, string Name);

internal sealed record TrustPolicy(bool RequireTrustedSignature, IReadOnlyList<TrustedKeyEntry>? Keys = null);

internal sealed record Message(string Role, string Content);

/// <summary>A request for a chat answer or a plain completion; what is null is the server's to decide.</summary>
internal sealed record AnswerRequest
{
    public required string Model { get; init; }

    /// <summary>For /v1/chat/completions.</summary>
    public IReadOnlyList<Message>? Messages { get; init; }

    /// <summary>For /v1/completions.</summary>
    public string? Prompt { get; init; }

    public bool Stream { get; init; } = true;

    public int? MaxTokens { get; init; }

    public double? Temperature { get; init; }

    public double? TopP { get; init; }

    public int? TopK { get; init; }

    public long? Seed { get; init; }
}

internal sealed record AnswerChunk(IReadOnlyList<AnswerChoice>? Choices);

internal sealed record AnswerChoice(string? Text, AnswerDelta? Delta, string? FinishReason);

internal sealed record AnswerDelta(string? Content);

/// <summary>The wire's JSON: snake_case, nulls left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(NewUser))]
[JsonSerializable(typeof(CreatedUser))]
[JsonSerializable(typeof(Caller))]
[JsonSerializable(typeof(BegunUpload))]
[JsonSerializable(typeof(ExpectedFiles))]
[JsonSerializable(typeof(CommittedModel))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(VersionList))]
[JsonSerializable(typeof(CurrentVersion))]
[JsonSerializable(typeof(ModelDetail))]
[JsonSerializable(typeof(ResidentList))]
[JsonSerializable(typeof(HostSigningKey))]
[JsonSerializable(typeof(NewToken))]
[JsonSerializable(typeof(CreatedToken))]
[JsonSerializable(typeof(TokenRotation))]
[JsonSerializable(typeof(RotatedToken))]
[JsonSerializable(typeof(TokenList))]
[JsonSerializable(typeof(NewGrant))]
[JsonSerializable(typeof(NewTrustedKey))]
[JsonSerializable(typeof(TrustedKeyEntry))]
[JsonSerializable(typeof(TrustPolicy))]
[JsonSerializable(typeof(AnswerRequest))]
[JsonSerializable(typeof(AnswerChunk))]
internal sealed partial class ApiJson : JsonSerializerContext;
