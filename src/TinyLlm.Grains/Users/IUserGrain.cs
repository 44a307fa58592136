using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>
/// One user: owns the user's access tokens, models and uploads, and decides who may use them. Key: the internal user id.
/// No byte of a file ever passes through it. Refusals are <see cref="Errors.RequestException"/>.
/// </summary>
[Alias("tinyllm.IUserGrain")]
public interface IUserGrain : IGrainWithStringKey
{
    /// <summary>Makes the user and its first token; refused when the user exists.</summary>
    [Alias("Create")]
    Task<IssuedToken> Create(string name);

    /// <summary>Who the user is, or null when there is none.</summary>
    [Alias("Describe")]
    Task<UserFacts?> Describe();

    /// <summary>
    /// Deletes everything of the user, tokens first. A repeat after a failure goes on where the first stopped.
    /// Null when there is no such user.
    /// </summary>
    [Alias("Forget")]
    Task<ForgetReceipt?> Forget();

    /// <summary>What a presented token may do, or null when it is unknown, revoked or expired.</summary>
    [Alias("Authenticate")]
    Task<TokenVerdict?> Authenticate(string token);

    /// <summary>Makes another access token.</summary>
    [Alias("CreateToken")]
    Task<IssuedToken> CreateToken(TokenSpec spec);

    /// <summary>The user's tokens, oldest first.</summary>
    [Alias("ListTokens")]
    Task<ImmutableArray<TokenFacts>> ListTokens();

    /// <summary>Ends a token; refused when there is none of this id.</summary>
    [Alias("RevokeToken")]
    Task RevokeToken(string tokenId);

    /// <summary>Begins a new version. The same idempotency key answers with the same upload.</summary>
    [Alias("BeginUpload")]
    Task<UploadTicket> BeginUpload(string model, string? idempotencyKey);

    /// <summary>An open upload.</summary>
    [Alias("GetUpload")]
    Task<UploadTicket> GetUpload(string model, string uploadId);

    /// <summary>Asks to write one file of an upload.</summary>
    [Alias("BeginWrite")]
    Task<WriteLease> BeginWrite(string model, string uploadId, string fileName);

    /// <summary>Keeps a write lease alive; refused when it is lost, and then the holder stops writing.</summary>
    [Alias("RenewWrite")]
    Task RenewWrite(string uploadId, string leaseId);

    /// <summary>Gives a write lease back, with the file's durable length.</summary>
    [Alias("EndWrite")]
    Task EndWrite(string uploadId, string leaseId, long length);

    /// <summary>Closes an upload for writing so that it can be validated.</summary>
    [Alias("BeginCommit")]
    Task<CommitTicket> BeginCommit(string model, string uploadId);

    /// <summary>Publishes a validated upload as the model's newest version: one write of the user's state.</summary>
    [Alias("CompleteCommit")]
    Task<PublishedVersion> CompleteCommit(string uploadId, string manifestDigest, ModelFacts facts);

    /// <summary>Opens an upload again whose commit failed through no fault of its files.</summary>
    [Alias("ReopenUpload")]
    Task ReopenUpload(string uploadId);

    /// <summary>Ends an upload that shall not become a version, and removes its bytes.</summary>
    [Alias("AbandonUpload")]
    Task AbandonUpload(string model, string uploadId);

    /// <summary>The current version of each model, by name.</summary>
    [Alias("ListModels")]
    Task<ImmutableArray<PublishedVersion>> ListModels();

    /// <summary>Every version of a model, newest first.</summary>
    [Alias("ListVersions")]
    Task<ImmutableArray<PublishedVersion>> ListVersions(UserId caller, string model);

    /// <summary>Deletes a model with all its versions and their bytes.</summary>
    [Alias("DeleteModel")]
    Task DeleteModel(string model);

    /// <summary>Deletes one version; with the last one the model is gone.</summary>
    [Alias("DeleteVersion")]
    Task DeleteVersion(string model, int number);

    /// <summary>Makes a version the one that the model's bare name means, until the next publication: a rollback, or its end.</summary>
    [Alias("SetCurrent")]
    Task<PublishedVersion> SetCurrent(string model, int number);

    /// <summary>Says how many versions later publications leave of a model; null: what the host's limits say.</summary>
    [Alias("SetKeptVersions")]
    Task SetKeptVersions(string model, int? count);

    /// <summary>Those of <paramref name="versions"/> that no record of the user names, and none ever will: all of them when there is no such user.</summary>
    [Alias("FindAbandoned")]
    Task<ImmutableArray<VersionId>> FindAbandoned(ImmutableArray<VersionId> versions);

    /// <summary>Decides whether <paramref name="caller"/> may use a version (null: the current one) of a model.</summary>
    [Alias("Lease")]
    Task<GrantedModel> Lease(UserId caller, string model, int? number, ModelRight right);
}
