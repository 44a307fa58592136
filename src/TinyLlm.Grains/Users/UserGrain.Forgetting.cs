using System.Collections.Immutable;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Sharing;
using TinyLlm.Grains.Usage;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>What a user deletes, and the deletion of the user: record first, then bytes, then every silo's memory.</summary>
internal sealed partial class UserGrain
{
    public async Task<ForgetReceipt?> Forget()
    {
        if (!state.RecordExists) return await Absent<ForgetReceipt>();

        // 1. From here on no token of the user is accepted and nothing new begins. The operator's log outlives the user's.
        await OperatorLog.Append(Event(AuditAction.UserDeleting, User.Value, ("name", state.State.Name)));
        state.State.Deleting = true;
        GrantBook.DropAll(state.State);
        await SaveAsync(Event(AuditAction.UserDeleting, User.Value));
        await ForgetSharesAsync();

        // 2. The user's key: whatever is encrypted under it is unreadable from here on, in backups and copies too, even if what follows fails.
        await _keys.DestroyAsync(User);
        if (state.State.KeyDestroyedAt is null)
        {
            state.State.KeyDestroyedAt = time.GetUtcNow();
            await SaveAsync();
        }

        // 3. Everything stored under the owner: versions and uploads alike, and what was logged of the user.
        await files.DeleteOwnerAsync(User, CancellationToken.None);
        await auditReader.DeleteAsync(AuditLogId.Of(User), CancellationToken.None);
        VersionId[] versions = [.. state.State.Models.Values.SelectMany(model => model.Versions).Select(version => version.Id)];
        SignedReceipt signed = await receipts.CompleteAsync(
            "user", state.State.Name, User, [.. versions], UploadBook.StoredBytes(state.State), "user_key", "tokens", "uploads", "audit_log", "usage_ledger");
        await ForgetUsageAsync(); // after the memories: cut answers are counted no more
        await OperatorLog.Append(Event(AuditAction.UserForgotten, User.Value, ("receipt", Convert.ToHexStringLower(SHA256.HashData(Convert.FromBase64String(signed.Payload))))));

        // 4. The record, then the name: a crash in between leaves a name that belongs to nobody and that its next claim takes up, never a
        //    record that no name leads to.
        ForgetReceipt receipt = new()
        {
            Name = state.State.Name,
            Models = state.State.Models.Count,
            Versions = state.State.Models.Values.Sum(model => model.Versions.Count),
            Tokens = state.State.Tokens.Count,
            StoredBytes = UploadBook.StoredBytes(state.State),
            CompletedAt = time.GetUtcNow(),
            Receipt = signed,
            KeyDestroyedAt = state.State.KeyDestroyedAt.Value,
        };
        DeactivateOnIdle();
        if (meter.RecordExists) await meter.ClearStateAsync();
        await state.ClearStateAsync();
        await NameGrain(receipt.Name).Release(User);
        return receipt;
    }

    public async Task<SignedReceipt?> DeleteModel(string model)
    {
        RequireUser();
        VersionRecord[] versions = ModelBook.Delete(state.State, model);
        await DropOrphanGrantsAndSaveAsync(Event(AuditAction.ModelDeleted, model));
        return await PurgeAsync("model", model, versions);
    }

    public async Task<SignedReceipt?> DeleteVersion(string model, int number)
    {
        RequireUser();
        VersionRecord version = ModelBook.DeleteVersion(state.State, model, number);
        await DropOrphanGrantsAndSaveAsync(Event(AuditAction.VersionDeleted, $"{model}@{number}"));
        return await PurgeAsync("version", $"{model}@{number}", version);
    }

    /// <summary>What no record names any more goes from the store, then from every silo's memory.</summary>
    private async Task<SignedReceipt?> PurgeAsync(string kind, string name, params VersionRecord[] versions)
    {
        RecordStored();
        await RemoveDoomedAsync();
        if (versions.Any(version => state.State.Doomed.Contains(version.Id))) return null;
        return await receipts.CompleteAsync(
            kind, $"{state.State.Name}/{name}", User, [.. versions.Select(version => version.Id)], versions.Sum(version => version.Facts.StoredBytes));
    }

    private void RecordStored() => usage.RecordStored(User, state.State.Models.Values.ToImmutableDictionary(
        model => $"{state.State.Name}/{model.Name}", model => model.Versions.Sum(version => version.Facts.StoredBytes)));

    /// <summary>The months that the user can have been counted in.</summary>
    private async Task ForgetUsageAsync()
    {
        DateOnly last = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime).AddMonths(1); // clocks of silos differ
        for (DateOnly month = DateOnly.FromDateTime(state.State.CreatedAt.UtcDateTime).AddMonths(-1); month <= last; month = month.AddMonths(1))
            await GrainFactory.GetGrain<IUsageLedgerGrain>(UsageMonth.Key(User, month)).Forget();
    }

    /// <summary>Removes the bytes that no record names any more. What fails now is removed by the next activation.</summary>
    private async Task RemoveDoomedAsync()
    {
        if (state.State.Doomed.Count == 0) return;
        try
        {
            foreach (VersionId version in state.State.Doomed)
            {
                await files.DeleteAsync(User, version, CancellationToken.None);
            }
            // Where a writer may not have noticed yet, a block may still come: those are removed once more.
            if (state.State.Doomed.RemoveWhere(_uploads.IsSettled) > 0) await SaveAsync();
        }
        catch (Exception exception)
        {
            // What was asked for is done; only bytes that nobody can reach are left.
            LogNotRemoved(logger, User, state.State.Doomed.Count, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "User {User}: bytes of {Count} deleted versions remain, the next activation removes them")]
    private static partial void LogNotRemoved(ILogger logger, UserId user, int count, Exception exception);
}
