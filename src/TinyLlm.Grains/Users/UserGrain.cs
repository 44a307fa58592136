using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Audit;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Forgetting;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Usage;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <inheritdoc cref="IUserGrain"/>
/// <remarks>
/// The rules are in the books; this type orders them with the two writes that matter. Every change is one write of the state, and bytes are
/// removed only after the state no longer names them: a crash in between leaves bytes that the next activation removes, never a version
/// without bytes.
/// </remarks>
[OnCoreSilos]
[GrainType("user")]
internal sealed partial class UserGrain(
    [PersistentState("user", GrainStorageHosting.DefaultName)] IPersistentState<UserState> state,
    [PersistentState("meter", GrainStorageHosting.DefaultName)] IPersistentState<UserMeter> meter,
    ModelFiles files,
    TokenHasher hasher,
    LeaseSigner signer,
    KeyEnvelopes envelopes,
    SigningKey signingKey,
    IOptions<EncryptionOptions> encryption,
    AuditLog auditLog,
    AuditReader auditReader,
    ReceiptOffice receipts,
    UsageMeter usage,
    IOptions<UserLimits> limits,
    ISiloStatusOracle silos,
    TimeProvider time,
    ILogger<UserGrain> logger) : Grain, IUserGrain
{
    private readonly TokenBook _tokens = new(limits.Value, hasher, time);
    private readonly UploadBook _uploads = new(limits.Value, time);
    private readonly ModelBook _models = new(limits.Value, time);
    private readonly KeyBook _keys = new(envelopes, encryption.Value);
    private readonly AuditTrail<UserState> _trail = new(auditLog, state, logger);

    private UserId User => UserId.Parse(this.GetPrimaryKeyString());

    private bool Exists => state.RecordExists && !state.State.Deleting;

    /// <summary>
    /// The rights as they were last written; null when there is no such user. Calls that interleave decide by it, because a change that is being logged
    /// and written stands in the state already and may yet be refused.
    /// </summary>
    private UserState? _inForce;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!state.RecordExists || state.State.Deleting) return;
        PutInForce();
        await _trail.ReconcileAsync(this, AuditLogId.Of(User));
        // What this activation sees for itself need not be written: the next one sees it too.
        UploadBook.DropCommits(state.State);
        await RecountUploadsAsync();
        StartMeter();
        if (_uploads.Sweep(state.State)) await SaveAsync();
        await RemoveDoomedAsync();
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => SaveMeterAsync(isLast: true);

    public async Task<IssuedToken> Create(string name)
    {
        if (state.RecordExists) throw new RequestException(RequestError.NameTaken, "A user of this name exists.") { Parameter = "id" };
        await BeginAsync(name);
        IssuedToken token = _tokens.Issue(state.State, User, new TokenSpec { Name = "first", Scopes = TokenScopeNames.EveryUserScope });
        await SaveAsync(Event(AuditAction.UserCreated, User.Value, ("name", name), ("token", token.Id)));
        StartMeter();
        return token;
    }

    public Task<UserFacts?> Describe()
    {
        if (!Exists) return Absent<UserFacts>();
        return Task.FromResult<UserFacts?>(new UserFacts
        {
            User = User,
            Name = state.State.Name,
            CreatedAt = state.State.CreatedAt,
            Models = state.State.Models.Count,
            StoredBytes = UploadBook.StoredBytes(state.State),
            Quota = Quota,
        });
    }

    public async Task ReportFailedAuthentications(int count, DateTimeOffset since)
    {
        if (!Exists)
        {
            await Absent<UserFacts>();
            return;
        }
        await SaveAsync(Event(AuditAction.AuthenticationFailed, null, ("count", $"{count}"), ("since", since.ToString("O"))));
    }

    public async Task<int> RotateKey()
    {
        RequireUser();
        return await _keys.RotateAsync(User, state.State, () => SaveAsync(Event(AuditAction.KeyRotated, User.Value)));
    }

    public async Task<IssuedToken> CreateToken(TokenSpec spec)
    {
        RequireUser();
        IssuedToken token = _tokens.Issue(state.State, User, spec);
        await SaveAsync(Event(AuditAction.TokenCreated, token.Id, ("name", spec.Name), ("scopes", string.Join(' ', spec.Scopes.ToNames()))));
        return token;
    }

    public Task<ImmutableArray<TokenFacts>> ListTokens()
    {
        RequireUser();
        return Task.FromResult(_tokens.List(state.State, meter.State));
    }

    public async Task RevokeToken(string tokenId, TokenSpec asking)
    {
        RequireUser();
        TokenBook.Revoke(state.State, tokenId, asking);
        await SaveAsync(Event(AuditAction.TokenRevoked, tokenId));
    }

    public async Task<UploadTicket> BeginUpload(string model, string? idempotencyKey)
    {
        RequireUser();
        UserKeys? keys = await _keys.ForNewAsync(User);
        bool swept = _uploads.Sweep(state.State);
        bool began = _uploads.Begin(state.State, ModelName(model), idempotencyKey, out UploadTicket ticket);
        if (began) state.State.Uploads[ticket.UploadId].Key = KeyBook.NewVersionKey(keys, model, ticket.Version);
        if (began) await SaveAsync(Event(AuditAction.UploadBegun, model, ("upload", ticket.UploadId)));
        else if (swept) await SaveAsync();
        await RemoveDoomedAsync();
        return ticket;
    }

    public Task<UploadTicket> GetUpload(string model, string uploadId)
    {
        RequireUser();
        return Task.FromResult(_uploads.Get(state.State, model, uploadId));
    }

    public async Task<WriteLease> BeginWrite(string model, string uploadId, string fileName, WriteClaim claim)
    {
        RequireUser();
        _uploads.Release(state.State, IsGone);
        UploadTicket upload = _uploads.Get(state.State, model, uploadId);
        VersionKey? key = await _keys.OpenAsync(User, state.State.Uploads[uploadId].Key, model, upload.Version);
        WriteLease lease = _uploads.BeginWrite(state.State, model, uploadId, fileName, claim) with { Key = key };
        await SaveAsync();
        return lease;
    }

    public async Task RenewWrite(string uploadId, string leaseId)
    {
        RequireUser();
        (VersionId version, string file) = _uploads.FindFile(state.State, uploadId, leaseId);
        long written = await files.LengthAsync(User, version, ModelFileName.Parse(file), CancellationToken.None) ?? 0;
        _uploads.RenewWrite(state.State, uploadId, leaseId, written);
    }

    public async Task EndWrite(string uploadId, string leaseId, long length)
    {
        RequireUser();
        if (_uploads.EndWrite(state.State, uploadId, leaseId, length)) await SaveAsync();
    }

    public async Task<CommitTicket> BeginCommit(string model, string uploadId, CommitClaim claim)
    {
        RequireUser();
        _uploads.Release(state.State, IsGone);
        UploadTicket known = _uploads.Get(state.State, model, uploadId);
        VersionKey? key = await _keys.OpenAsync(User, state.State.Uploads[uploadId].Key, model, known.Version);
        CommitTicket ticket = _uploads.BeginCommit(state.State, model, uploadId, claim) with
        {
            Key = key,
            TrustedKeys = [.. state.State.TrustedKeys.Values.Select(trusted => trusted.Pem)],
        };
        UploadRecord upload = state.State.Uploads[uploadId];
        if (upload.Phase == UploadPhase.Committed)
        {
            return ticket with { Published = ModelBook.FindPublished(state.State, upload) ?? throw RequestException.NotFound("upload") };
        }
        await SaveAsync();
        return ticket;
    }

    public async Task<PublishedVersion> CompleteCommit(string uploadId, string manifestDigest, ModelFacts facts)
    {
        RequireUser();
        if (UploadBook.FindCommitting(state.State, uploadId) is not { } upload)
        {
            return ModelBook.FindPublished(state.State, state.State.Uploads[uploadId]) ?? throw RequestException.NotFound("upload");
        }
        string signatureDigest = await SignAsync(upload, manifestDigest);
        PublishedVersion published = _models.Publish(state.State, upload, manifestDigest, signatureDigest, facts);
        await SaveAsync(Event(AuditAction.VersionCommitted, $"{published.Model}@{published.Number}", ("digest", manifestDigest), ("upload", uploadId)));
        RecordStored();
        LogPublished(logger, User, published.Version, published.Number);
        await RemoveDoomedAsync(); // what retention took out
        return published;
    }

    public async Task ReopenUpload(string uploadId, string commitId)
    {
        RequireUser();
        if (UploadBook.FindCommit(state.State, uploadId, commitId) is not { } upload) return;
        upload.Phase = UploadPhase.Open;
        upload.CommitUntil = null;
        await SaveAsync();
    }

    public async Task LeaveCommit(string uploadId, string commitId)
    {
        RequireUser();
        if (UploadBook.FindCommit(state.State, uploadId, commitId) is not { } upload) return;
        upload.CommitUntil = null;
        await SaveAsync();
    }

    public async Task RejectUpload(string uploadId, string commitId)
    {
        RequireUser();
        if (_uploads.Reject(state.State, uploadId, commitId) is not { } upload) return;
        await SaveAsync(Event(AuditAction.UploadAbandoned, upload.Model, ("upload", uploadId)));
        await RemoveDoomedAsync();
    }

    public async Task AbandonUpload(string model, string uploadId)
    {
        RequireUser();
        _uploads.Abandon(state.State, model, uploadId);
        await SaveAsync(Event(AuditAction.UploadAbandoned, model, ("upload", uploadId)));
        await RemoveDoomedAsync();
    }

    public Task<ImmutableArray<PublishedVersion>> ListModels()
    {
        RequireUser();
        return Task.FromResult(ModelBook.List(state.State));
    }

    public Task<ImmutableArray<PublishedVersion>> ListVersions(UserId caller, string model)
    {
        RequireRight(caller, model, AnyRight);
        return Task.FromResult(ModelBook.ListVersions(state.State, model));
    }

    public async Task<GrantedModel> Lease(UserId caller, string model, int? number, ModelRight right)
    {
        RequireRight(caller, model, right);
        return await SignLeaseAsync(caller, ModelBook.FindVersion(state.State, model, number), right);
    }

    private async Task<GrantedModel> SignLeaseAsync(UserId caller, PublishedVersion version, ModelRight right)
    {
        VersionRecord record = ModelBook.RecordOf(state.State, version);
        VersionKey? key = await _keys.OpenAsync(User, record.Key, version.Model, version.Version);
        ModelLease lease = signer.Sign(new ModelLease
        {
            Caller = caller,
            Owner = User,
            Version = version.Version,
            ManifestDigest = version.ManifestDigest,
            Model = $"{version.Owner}/{version.Model}",
            KeepAlive = ModelBook.Find(state.State, version.Model).KeepAlive,
            PinnableBytes = Quota.PinnedBytes ?? 0,
            SignatureDigest = record.SignatureDigest
                ?? throw new RequestException(RequestError.Conflict, "This version was published before versions were signed: upload it again."),
            SigningKey = signingKey.PublicKey.Info,
            Key = key,
            OwnerBytes = Quota.ResidentBytes,
            Right = right,
            ExpiresAt = default,
        });
        return new GrantedModel { Lease = lease, Version = version };
    }

    /// <summary>Puts the host's signature beside the manifest. One that a crash or a refusal leaves there is written over by the next attempt.</summary>
    private async Task<string> SignAsync(UploadRecord upload, string manifestDigest)
    {
        ModelManifest? manifest = await files.ReadManifestAsync(User, upload.Version, CancellationToken.None);
        if (manifest?.Digest.Hex != manifestDigest) throw new RequestException(RequestError.Conflict, "The upload's files are not those that were validated: commit it again.");
        byte[] signature = SignedManifest.Sign($"{state.State.Name}/{upload.Model}", manifest, signingKey);
        await files.WriteSignatureAsync(User, upload.Version, signature, CancellationToken.None);
        return SignedManifest.DigestOf(signature);
    }

    /// <summary>The access decision: the owner, or by a grant. Everyone else gets what a missing model gives.</summary>
    private void RequireRight(UserId caller, string model, ModelRight rights)
    {
        if (Exists && (caller == User || _grants.Find(state.State, caller, model, rights).Any())) return;
        if (!state.RecordExists) DeactivateOnIdle();
        throw RequestException.NotFound("model");
    }

    private void RequireUser()
    {
        if (Exists) return;
        DeactivateOnIdle();
        throw RequestException.NotFound("user");
    }

    private Task<T?> Absent<T>()
        where T : class
    {
        if (!state.RecordExists) DeactivateOnIdle(); // a guessed id must not stay in memory
        return Task.FromResult<T?>(null);
    }

    private IUserNameGrain NameGrain(string name) => GrainFactory.GetGrain<IUserNameGrain>(EntityName.Parse(name).Folded);

    private static EntityName ModelName(string model) =>
        EntityName.TryParse(model, out EntityName name)
            ? name
            : throw new RequestException(RequestError.Malformed, $"model: {EntityName.Rule}") { Parameter = "model" };

    private IOperatorLogGrain OperatorLog => GrainFactory.GetGrain<IOperatorLogGrain>(IOperatorLogGrain.Key);

    private static AuditEvent Event(AuditAction action, string? subject, params ReadOnlySpan<(string Name, string Value)> details) =>
        AuditTrail<UserState>.Event(action, subject, details);

    /// <summary>Also one that no member remembers: its lease was read from the store.</summary>
    private bool IsGone(SiloAddress silo) => silos.GetApproximateSiloStatus(silo) is SiloStatus.Dead or SiloStatus.None;

    /// <summary>Writes a change that no log tells of: bookkeeping.</summary>
    private async Task SaveAsync()
    {
        await GrainSave.OrForget(this, state);
        PutInForce();
    }

    /// <summary>Writes a change, after the user's audit log has told of it.</summary>
    private async Task SaveAsync(AuditEvent told)
    {
        await _trail.SaveAsync(this, AuditLogId.Of(User), told);
        PutInForce();
    }

    /// <summary>What was written is in force. Where a write failed, this activation ends with what it knew before.</summary>
    private void PutInForce() => _inForce = state.State.Deleting ? null : state.State.CopyOfRights();

    [LoggerMessage(Level = LogLevel.Information, Message = "User {User}: version {Version} published as number {Number}")]
    private static partial void LogPublished(ILogger logger, UserId user, VersionId version, int number);
}
