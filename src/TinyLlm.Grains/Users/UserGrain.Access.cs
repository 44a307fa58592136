using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Orleans.Storage;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Sharing;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>The user as a bearer of rates and of rights: admissions, running streams, and what is shared with others.</summary>
/// <remarks>
/// Rates, streams and budgets change with every request, so they are counted in memory and in the meter, which is written every few seconds.
/// The calls that count are synchronous and interleave: a user whose state is being written is not kept waiting, and sees what was in force before.
/// </remarks>
internal sealed partial class UserGrain
{
    private const ModelRight AnyRight = ModelRight.Infer | ModelRight.Download | ModelRight.FineTune;

    /// <summary>After a crash this much of the counting is lost at the most.</summary>
    private static readonly TimeSpan MeterInterval = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ShareRetryInterval = TimeSpan.FromSeconds(5);

    private readonly LimitBook _limits = new(limits.Value, time);
    private readonly GrantBook _grants = new(limits.Value, time);
    private readonly BudgetLedger _budgets = new(time);
    private IGrainTimer? _meterTimer;
    private IGrainTimer? _shareTimer;

    private UserQuota Quota => (state.State.Quota ?? new UserQuota()).Over(limits.Value);

    public async Task Enroll(string name)
    {
        if (state.RecordExists) return;
        await BeginAsync(name);
        await SaveAsync(Event(AuditAction.UserCreated, User.Value, ("name", name), ("by", "provider")));
        StartMeter();
    }

    public Task<Admission> Admit(string token)
    {
        if (_inForce is not { } known) return Unknown();
        bool ours = AccessToken.TryParse(token, out AccessToken parsed) && parsed.User == User;
        TokenVerdict? verdict = ours ? _tokens.Check(known, parsed) : null;
        return Task.FromResult(verdict is null ? Admission.Unknown : _limits.Admit(known, meter.State, verdict));
    }

    public Task<Admission> AdmitExternal(TokenScopes scopes, DateTimeOffset? expiresAt)
    {
        if (_inForce is not { } known) return Unknown();
        TokenVerdict verdict = new() { User = User, UserName = known.Name, TokenId = null, Scopes = scopes, ExpiresAt = expiresAt };
        return Task.FromResult(_limits.Admit(known, meter.State, verdict));
    }

    public async Task<RotatedToken> RotateToken(TokenRotation rotation)
    {
        RequireUser();
        RotatedToken token = _tokens.Rotate(state.State, User, rotation);
        await SaveAsync(Event(AuditAction.TokenRotated, rotation.TokenId, ("old_valid_until", token.OldValidUntil.ToString("O", CultureInfo.InvariantCulture))));
        return token;
    }

    public async Task<UserQuota> SetQuota(UserQuota quota)
    {
        RequireUser();
        await OperatorLog.Append(Event(AuditAction.QuotaChanged, User.Value)); // before the state is touched: a refusal leaves no trace in memory
        state.State.Quota = quota == new UserQuota() ? null : quota;
        await SaveAsync(Event(AuditAction.QuotaChanged, User.Value));
        return Quota;
    }

    public Task CountTraining(long steps)
    {
        RequireUser();
        _limits.CountTraining(state.State, meter.State, steps);
        return Task.CompletedTask;
    }

    public Task<RateLevels> BeginStream(StreamSpec spec)
    {
        if (_inForce is { } known) return Task.FromResult(_limits.Begin(known, meter.State, spec));
        DeactivateOnIdle();
        throw RequestException.NotFound("user");
    }

    public Task<ImmutableArray<string>> RenewStreams(ImmutableArray<StreamUse> uses) => Task.FromResult(
        _inForce is { } known ? _limits.Renew(known, meter.State, uses) : [.. uses.Select(use => use.StreamId)]);

    public Task EndStream(StreamUse use)
    {
        if (_inForce is { } known) _limits.End(known, meter.State, use);
        return Task.CompletedTask;
    }

    public async Task<GrantedModel> LeaseStream(StreamLeaseSpec spec)
    {
        RequireRight(spec.Caller, spec.Model, ModelRight.Infer);
        PublishedVersion version = ModelBook.FindVersion(state.State, spec.Model, spec.Number);
        _limits.RefuseTooLargeToLoad(state.State, version.Facts.StoredBytes);
        GrantedModel granted = await SignLeaseAsync(spec.Caller, version, ModelRight.Infer); // before anything is reserved, because it may fail
        long? maxTokens = spec.Caller == User
            ? null
            : _budgets.Reserve(meter.State, Grants(state.State, spec.Caller, spec.Model), spec, version.Facts.ContextLength);
        return granted with { MaxTokens = maxTokens };
    }

    public Task<ImmutableArray<string>> RenewLeases(UserId caller, ImmutableArray<LeaseUse> uses) => Task.FromResult<ImmutableArray<string>>(
        [.. uses.Where(use => !MayGoOn(caller, use)).Select(use => use.StreamId)]);

    public Task EndLease(UserId caller, LeaseUse use)
    {
        if (_inForce is { } known && caller != User) _budgets.End(meter.State, Grants(known, caller, use.Model), use);
        return Task.CompletedTask;
    }

    public Task<VisibleModel> FindModel(UserId caller, string model, int? number)
    {
        RequireRight(caller, model, AnyRight);
        return Task.FromResult(new VisibleModel { Owner = User, Version = ModelBook.FindVersion(state.State, model, number) });
    }

    public Task<ImmutableArray<PublishedVersion>> ListShared(UserId caller, ImmutableArray<string> models)
    {
        if (!Exists) return Task.FromResult<ImmutableArray<PublishedVersion>>([]);
        return Task.FromResult<ImmutableArray<PublishedVersion>>(
        [
            .. models.Where(model => _grants.Find(state.State, caller, model, AnyRight).Any())
                .Select(model => ModelBook.FindCurrent(state.State, model)).OfType<PublishedVersion>(),
        ]);
    }

    public async Task Grant(GrantSpec spec)
    {
        RequireUser();
        string folded = EntityName.Parse(ModelBook.Find(state.State, spec.Model).Name).Folded;
        if (!await ShareIndex(GrantRecord.Key(spec.Grantee)).HasRoom(User, folded))
        {
            throw new RequestException(
                RequestError.QuotaExceeded, $"grants: {ShareIndexGrain.MaxModels} models are shared with this grantee, the bound: ask them, or the operator, to have some removed.");
        }
        _grants.Put(state.State, spec);
        await SaveAsync(Event(AuditAction.GrantGiven, spec.Model, ("to", GrantRecord.Key(spec.Grantee)), ("rights", spec.Rights.ToString())));
        await DeliverSharesAsync();
    }

    public async Task RevokeGrant(string model, UserId? grantee)
    {
        RequireUser();
        GrantBook.Revoke(state.State, model, grantee);
        await SaveAsync(Event(AuditAction.GrantRevoked, model, ("from", GrantRecord.Key(grantee))));
        await DeliverSharesAsync();
    }

    public Task<ImmutableArray<GrantFacts>> ListGrants(string model)
    {
        RequireUser();
        return Task.FromResult(_grants.List(state.State, meter.State, model));
    }

    private bool MayGoOn(UserId caller, LeaseUse use)
    {
        if (_inForce is not { } known || !known.Models.TryGetValue(use.Model.ToLowerInvariant(), out ModelRecord? model)) return false;
        if (!model.Versions.Any(version => version.Id == use.Version)) return false;
        if (caller == User) return true;
        if (use.IsDownload) return _grants.Find(known, caller, use.Model, ModelRight.Download).Any();
        GrantRecord[] grants = Grants(known, caller, use.Model);
        return grants.Length > 0 && _budgets.Renew(meter.State, grants, use);
    }

    private GrantRecord[] Grants(UserState known, UserId caller, string model) => [.. _grants.Find(known, caller, model, ModelRight.Infer)];

    private IShareIndexGrain ShareIndex(string key) => GrainFactory.GetGrain<IShareIndexGrain>(key);

    private Task<Admission> Unknown()
    {
        if (!state.RecordExists) DeactivateOnIdle(); // a guessed id must not stay in memory
        return Task.FromResult(Admission.Unknown);
    }

    /// <summary>A fresh state under a name that was claimed for this user.</summary>
    private async Task BeginAsync(string name)
    {
        if (await NameGrain(name).Resolve(name) != User)
        {
            // Claimed, and given back since by a deletion that was still under way: a user must not exist without its name.
            throw new RequestException(RequestError.Conflict, "The user of this name was being deleted: try again.") { Parameter = "id", RetryAfter = TimeSpan.FromSeconds(1) };
        }
        await OperatorLog.Append(Event(AuditAction.UserCreated, User.Value, ("name", name)));
        state.State = new UserState { Name = name, CreatedAt = time.GetUtcNow() };
    }

    /// <summary>After a model or version went: its grants go with the last version, in the same write.</summary>
    private async Task DropOrphanGrantsAndSaveAsync(AuditEvent told)
    {
        GrantBook.DropOrphans(state.State);
        await SaveAsync(told);
        await DeliverSharesAsync();
    }

    /// <summary>The counting goes on, and so does the delivery of what an earlier activation left in the outbox.</summary>
    private void StartMeter()
    {
        _meterTimer ??= this.RegisterGrainTimer(_ => SaveMeterAsync(isLast: false), new GrainTimerCreationOptions(MeterInterval, MeterInterval));
        if (state.State.ShareOutbox.Count > 0) RetryShares(TimeSpan.Zero);
    }

    private async Task SaveMeterAsync(bool isLast)
    {
        UserMeter counted = meter.State;
        bool worthIt = counted.IsDue || counted.UnsavedShare >= (isLast ? double.Epsilon : 0.05);
        if (!Exists || !worthIt) return;
        try
        {
            // What belongs to tokens and grants that are gone goes now, and not with them: a failed write brings those back.
            foreach (string token in counted.ByToken.Keys.Where(token => !state.State.Tokens.ContainsKey(token)).ToArray()) counted.ByToken.Remove(token);
            HashSet<long> grants = [.. state.State.Grants.Values.SelectMany(grants => grants.Values).Select(grant => grant.Serial)];
            foreach (long grant in counted.Spent.Keys.Where(grant => !grants.Contains(grant)).ToArray()) counted.Spent.Remove(grant);
            // Marked first: what is counted while the write is under way is for the next one.
            _limits.MarkSaved(counted);
            await meter.WriteStateAsync();
        }
        catch (Exception exception)
        {
            counted.IsDue = true;
            LogMeterNotSaved(logger, User, exception);
            if (exception is InconsistentStateException) DeactivateOnIdle(); // another activation wrote it: this one is not the user's any more
        }
    }

    /// <summary>
    /// Empties the outbox: in order for each index, and what one index does not take waits without holding up the others. A notice that was taken
    /// and is sent again, because the crash came between, changes nothing there.
    /// </summary>
    private async Task DeliverSharesAsync()
    {
        if (state.State.ShareOutbox.Count == 0) return;
        HashSet<string> failed = [];
        List<PendingShare> delivered = [];
        foreach (PendingShare share in state.State.ShareOutbox.ToArray())
        {
            if (failed.Contains(share.Index)) continue;
            try
            {
                await ShareIndex(share.Index).Apply(new ShareNotice { Owner = User, Model = share.Model, IsShared = share.IsShared, Serial = share.Serial });
                delivered.Add(share);
            }
            catch (Exception exception)
            {
                failed.Add(share.Index);
                LogShareNotDelivered(logger, User, exception);
            }
        }
        if (delivered.Count > 0)
        {
            state.State.ShareOutbox.RemoveAll(delivered.Contains);
            await SaveAsync();
        }
        if (failed.Count > 0) RetryShares(ShareRetryInterval);
    }

    private void RetryShares(TimeSpan due)
    {
        _shareTimer?.Dispose();
        _shareTimer = this.RegisterGrainTimer(_ => DeliverSharesAsync(), new GrainTimerCreationOptions(due, Timeout.InfiniteTimeSpan));
    }

    /// <summary>Takes the user out of every index of shared models, the user's own included. What fails is for the deletion's repeat.</summary>
    private async Task ForgetSharesAsync()
    {
        await DeliverSharesAsync();
        if (state.State.ShareOutbox.Count > 0)
        {
            throw new RequestException(RequestError.NoCapacity, "A part of the cluster did not answer: repeat the deletion, which goes on where it stopped.")
            {
                RetryAfter = ShareRetryInterval,
            };
        }
        await ShareIndex(User.Value).Clear();
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "User {User}: rates and budgets were not stored, the next write takes them along")]
    private static partial void LogMeterNotSaved(ILogger logger, UserId user, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "User {User}: an index of shared models did not take a notice, it is sent again")]
    private static partial void LogShareNotDelivered(ILogger logger, UserId user, Exception exception);
}
