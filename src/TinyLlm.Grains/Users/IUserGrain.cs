using System.Collections.Immutable;
using Orleans.Concurrency;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Calls;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Sharing;
using TinyLlm.Grains.Trust;
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
    [Repeatable]
    [Alias("Describe")]
    Task<UserFacts?> Describe();

    /// <summary>
    /// Deletes everything of the user, tokens first. A repeat after a failure goes on where the first stopped.
    /// Null when there is no such user.
    /// </summary>
    [Alias("Forget")]
    Task<ForgetReceipt?> Forget();

    /// <summary>Makes the user a new key and rewraps every version's data key with it. Answers how many.</summary>
    [Alias("RotateKey")]
    Task<int> RotateKey();

    /// <summary>Makes the user without a token, for one who signs in elsewhere. A repeat changes nothing.</summary>
    [Alias("Enroll")]
    Task Enroll(string name);

    /// <summary>What a presented token may do, and whether one more request fits into the user's rates: counted here, in one place.</summary>
    [AlwaysInterleave]
    [Repeatable]
    [Alias("Admit")]
    Task<Admission> Admit(string token);

    /// <summary>The same for a user whom a provider outside vouched for; the calling silo has checked that.</summary>
    [AlwaysInterleave]
    [Repeatable]
    [Alias("AdmitExternal")]
    Task<Admission> AdmitExternal(TokenScopes scopes, DateTimeOffset? expiresAt);

    /// <summary>Tells the user's audit log of requests that named the user and whose token was refused. Nothing when there is no such user.</summary>
    [Alias("ReportFailedAuthentications")]
    Task ReportFailedAuthentications(int count, DateTimeOffset since);

    /// <summary>Makes another access token.</summary>
    [Alias("CreateToken")]
    Task<IssuedToken> CreateToken(TokenSpec spec);

    /// <summary>The user's tokens, oldest first.</summary>
    [Repeatable]
    [Alias("ListTokens")]
    Task<ImmutableArray<TokenFacts>> ListTokens();

    /// <summary>Ends a token; refused when there is none of this id, or it reaches more than <paramref name="asking"/>.</summary>
    [Alias("RevokeToken")]
    Task RevokeToken(string tokenId, TokenSpec asking);

    /// <summary>Gives a token a fresh secret; the old one ends with the grace time.</summary>
    [Alias("RotateToken")]
    Task<RotatedToken> RotateToken(TokenRotation rotation);

    /// <summary>Sets the bounds that differ from the host's defaults; answers those that hold from now on.</summary>
    [Alias("SetQuota")]
    Task<UserQuota> SetQuota(UserQuota quota);

    /// <summary>Counts training steps of today; refused beyond the bound.</summary>
    [Alias("CountTraining")]
    Task CountTraining(long steps);

    /// <summary>Gives a stream of this user a place, and takes the tokens that it reserves from the user's rate.</summary>
    [AlwaysInterleave]
    [Alias("BeginStream")]
    Task<RateLevels> BeginStream(StreamSpec spec);

    /// <summary>Tells what this user's running streams have used; answers those whose credential ended: they must be cut.</summary>
    [AlwaysInterleave]
    [Alias("RenewStreams")]
    Task<ImmutableArray<string>> RenewStreams(ImmutableArray<StreamUse> uses);

    /// <summary>Frees a stream's place, and settles its tokens.</summary>
    [AlwaysInterleave]
    [Alias("EndStream")]
    Task EndStream(StreamUse use);

    /// <summary>Begins a new version. The same idempotency key answers with the same upload.</summary>
    [Alias("BeginUpload")]
    Task<UploadTicket> BeginUpload(string model, string? idempotencyKey);

    /// <summary>An open upload.</summary>
    [Repeatable]
    [Alias("GetUpload")]
    Task<UploadTicket> GetUpload(string model, string uploadId);

    /// <summary>Asks to write one file of an upload. A repeat with the same claim answers with the same lease.</summary>
    [Repeatable]
    [Alias("BeginWrite")]
    Task<WriteLease> BeginWrite(string model, string uploadId, string fileName, WriteClaim claim);

    /// <summary>Keeps a write lease alive; refused when it is lost, and then the holder stops writing.</summary>
    [Repeatable]
    [Alias("RenewWrite")]
    Task RenewWrite(string uploadId, string leaseId);

    /// <summary>Gives a write lease back, with the file's durable length; refused when it is lost. A repeat after success changes nothing.</summary>
    [Repeatable]
    [Alias("EndWrite")]
    Task EndWrite(string uploadId, string leaseId, long length);

    /// <summary>Closes an upload for writing so that it can be validated. A repeat with the same claim answers with the same ticket.</summary>
    [Repeatable]
    [Alias("BeginCommit")]
    Task<CommitTicket> BeginCommit(string model, string uploadId, CommitClaim claim);

    /// <summary>Publishes a validated upload as the model's newest version: one write of the user's state. A repeat after success answers the same.</summary>
    [Repeatable]
    [Alias("CompleteCommit")]
    Task<PublishedVersion> CompleteCommit(string uploadId, string manifestDigest, ModelFacts facts);

    /// <summary>Opens an upload again whose commit failed through no fault of its files; nothing when that commit has ended, or another has taken over.</summary>
    [Repeatable]
    [Alias("ReopenUpload")]
    Task ReopenUpload(string uploadId, string commitId);

    /// <summary>Leaves a commit to whoever comes next, because another one is at the files; nothing when it has ended, or that one has taken over.</summary>
    [Repeatable]
    [Alias("LeaveCommit")]
    Task LeaveCommit(string uploadId, string commitId);

    /// <summary>Ends an upload whose commit found it invalid, and removes its bytes; nothing when that commit has ended, or another has taken over.</summary>
    [Repeatable]
    [Alias("RejectUpload")]
    Task RejectUpload(string uploadId, string commitId);

    /// <summary>Ends an upload that shall not become a version, and removes its bytes.</summary>
    [Alias("AbandonUpload")]
    Task AbandonUpload(string model, string uploadId);

    /// <summary>The current version of each model, by name.</summary>
    [Repeatable]
    [Alias("ListModels")]
    Task<ImmutableArray<PublishedVersion>> ListModels();

    /// <summary>Every version of a model, newest first.</summary>
    [Repeatable]
    [Alias("ListVersions")]
    Task<ImmutableArray<PublishedVersion>> ListVersions(UserId caller, string model);

    /// <summary>
    /// Deletes a model with all its versions and their bytes, in the store and in every silo's memory. Null instead of a receipt when some bytes could not be
    /// removed yet: nobody can reach them, and the next activation removes them.
    /// </summary>
    [Alias("DeleteModel")]
    Task<SignedReceipt?> DeleteModel(string model);

    /// <summary>Deletes one version, as <see cref="DeleteModel"/> does all; with the last one the model is gone.</summary>
    [Alias("DeleteVersion")]
    Task<SignedReceipt?> DeleteVersion(string model, int number);

    /// <summary>Makes a version the one that the model's bare name means, until the next publication: a rollback, or its end.</summary>
    [Alias("SetCurrent")]
    Task<PublishedVersion> SetCurrent(string model, int number);

    /// <summary>Says how many versions later publications leave of a model; null: what the host's limits say.</summary>
    [Alias("SetKeptVersions")]
    Task SetKeptVersions(string model, int? count);

    /// <summary>Says how long a model stays in memory; null: as the host has it. Silos learn it by the next lease.</summary>
    [Alias("SetKeepAlive")]
    Task SetKeepAlive(string model, KeepAlive? keepAlive);

    /// <summary>Those of <paramref name="versions"/> that no record of the user names, and none ever will: all of them when there is no such user.</summary>
    [Repeatable]
    [Alias("FindAbandoned")]
    Task<ImmutableArray<VersionId>> FindAbandoned(ImmutableArray<VersionId> versions);

    /// <summary>Decides whether <paramref name="caller"/> may use a version (null: the current one) of a model.</summary>
    [Repeatable]
    [Alias("Lease")]
    Task<GrantedModel> Lease(UserId caller, string model, int? number, ModelRight right);

    /// <summary>The same for a stream: where a grant has a budget of tokens, what the stream may take is reserved.</summary>
    [Alias("LeaseStream")]
    Task<GrantedModel> LeaseStream(StreamLeaseSpec spec);

    /// <summary>
    /// Tells what <paramref name="caller"/>'s running streams on this user's models have used; answers those that may not go on: the grant, the
    /// version or this user is gone, or a budget is overdrawn.
    /// </summary>
    [AlwaysInterleave]
    [Alias("RenewLeases")]
    Task<ImmutableArray<string>> RenewLeases(UserId caller, ImmutableArray<LeaseUse> uses);

    /// <summary>Settles what an ended stream took from a grant's budget.</summary>
    [AlwaysInterleave]
    [Alias("EndLease")]
    Task EndLease(UserId caller, LeaseUse use);

    /// <summary>A version that <paramref name="caller"/> may use in any way; without a number, the newest.</summary>
    [Repeatable]
    [Alias("FindModel")]
    Task<VisibleModel> FindModel(UserId caller, string model, int? number);

    /// <summary>The current versions of those of the models, by folded name, that <paramref name="caller"/> may use in any way.</summary>
    [Repeatable]
    [Alias("ListShared")]
    Task<ImmutableArray<PublishedVersion>> ListShared(UserId caller, ImmutableArray<string> models);

    /// <summary>Makes or replaces a grant on a model.</summary>
    [Alias("Grant")]
    Task Grant(GrantSpec spec);

    /// <summary>Ends a grant (to everyone, when there is no grantee); refused when there is none.</summary>
    [Alias("RevokeGrant")]
    Task RevokeGrant(string model, UserId? grantee);

    /// <summary>The grants on a model, oldest first.</summary>
    [Repeatable]
    [Alias("ListGrants")]
    Task<ImmutableArray<GrantFacts>> ListGrants(string model);

    /// <summary>Whose signatures of uploaded models the user trusts, and whether that is required.</summary>
    [Repeatable]
    [Alias("GetTrust")]
    Task<TrustPolicy> GetTrust();

    /// <summary>Trusts the signatures of one more public key.</summary>
    [Alias("AddTrustedKey")]
    Task<TrustedKey> AddTrustedKey(string name, string pem);

    /// <summary>Trusts a key no more, for what is published already too; refused when there is none of this id.</summary>
    [Alias("RemoveTrustedKey")]
    Task RemoveTrustedKey(string id);

    /// <summary>Says whether later commits need a signature that the user trusts.</summary>
    [Alias("RequireTrustedSignature")]
    Task<TrustPolicy> RequireTrustedSignature(bool required);
}
