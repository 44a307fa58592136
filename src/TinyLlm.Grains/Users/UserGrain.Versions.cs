using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Residency;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <content>Which version counts, which versions stay, and which bytes are nobody's.</content>
internal sealed partial class UserGrain
{
    public async Task<PublishedVersion> SetCurrent(string model, int number)
    {
        RequireUser();
        PublishedVersion current = ModelBook.SetCurrent(state.State, model, number);
        await SaveAsync(Event(AuditAction.VersionChosen, $"{model}@{number}"));
        return current;
    }

    public async Task SetKeptVersions(string model, int? count)
    {
        RequireUser();
        _models.SetKeptVersions(state.State, model, count);
        await SaveAsync(Event(AuditAction.RetentionChanged, model, ("keep_versions", count?.ToString(CultureInfo.InvariantCulture) ?? "default")));
    }

    public async Task SetKeepAlive(string model, KeepAlive? keepAlive)
    {
        RequireUser();
        ModelBook.Find(state.State, model).KeepAlive = keepAlive;
        string told = keepAlive is null ? "default" : keepAlive.Time?.ToString("c", CultureInfo.InvariantCulture) ?? "pinned";
        await SaveAsync(Event(AuditAction.KeepAliveChanged, model, ("keep_alive", told)));
    }

    public Task<ImmutableArray<VersionId>> FindAbandoned(ImmutableArray<VersionId> versions)
    {
        // A user who is being deleted has no version any more; one that was never made must not stay in memory.
        if (!state.RecordExists) DeactivateOnIdle();
        HashSet<VersionId> named = Exists ? [.. state.State.VersionIds()] : [];
        return Task.FromResult(versions.RemoveAll(named.Contains));
    }

    /// <summary>Counts the bytes of open uploads in the store: whoever wrote them may have died before it told how many there are.</summary>
    private async Task RecountUploadsAsync()
    {
        try
        {
            foreach (UploadRecord upload in state.State.Uploads.Values.Where(upload => upload.Phase != UploadPhase.Committed))
            {
                Dictionary<string, long> stored = [];
                await foreach ((ModelFileName name, long length) in files.ListAsync(User, upload.Version, CancellationToken.None)) stored[name.Value] = length;
                upload.Files = stored;
            }
        }
        catch (Exception exception)
        {
            // The count of before holds a while longer; it bounds nothing but the user's own quota.
            LogNotRecounted(logger, User, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "User {User}: the bytes of open uploads were not counted")]
    private static partial void LogNotRecounted(ILogger logger, UserId user, Exception exception);
}
