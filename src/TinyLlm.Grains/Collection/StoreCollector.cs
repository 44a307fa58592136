using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Collection;

/// <summary>
/// Removes bytes of models that nobody owns any more: of crashed uploads, of deletions that were cut off, of users who are gone.
/// <list type="number">
/// <item>An upload's version is named in its owner's state before the first byte is written, and an id that is named no more is never named again. So
/// what the owner's grain does not name is abandoned, whoever else looks at the same time; a second silo that removes it too does no harm.</item>
/// <item>A writer that lost its right may add a block before it notices: hence the grace time since the last write.</item>
/// <item>One owner is asked and one version removed at a time, at most <see cref="MaxVersions"/> in a pass: what is left, the next pass finds.</item>
/// </list>
/// </summary>
public sealed class StoreCollector(
    ModelFiles files,
    ObjectStore objects,
    [FromKeyedServices(DataFolder.GrainStateContainer)] ObjectStore grainState,
    [FromKeyedServices(DataFolder.KeyEnvelopesContainer)] ObjectStore keyEnvelopes,
    IGrainFactory grains,
    IOptions<CollectionOptions> options,
    TimeProvider time)
{
    /// <summary>Some minutes' work of a slow disk or account.</summary>
    public const int MaxVersions = 10_000;

    /// <summary>One pass over everything.</summary>
    public async Task<CollectedBytes> CollectAsync(CancellationToken cancellationToken)
    {
        int versions = 0;
        long bytes = 0;
        int temporary = 0;
        foreach ((UserId owner, Dictionary<VersionId, StoredVersion> found) in await FindOldAsync(cancellationToken))
        {
            ImmutableArray<VersionId> abandoned = await grains.GetGrain<IUserGrain>(owner.Value).FindAbandoned([.. found.Keys]);
            foreach (VersionId version in found.Keys.Except(abandoned).Where(version => found[version].HasUploadObjects))
                temporary += await files.RemoveLeftoversAsync(owner, version, cancellationToken);
            foreach (VersionId version in abandoned.Take(MaxVersions - versions))
            {
                await files.DeleteAsync(owner, version, cancellationToken);
                versions++;
                bytes += found[version].Bytes;
            }
        }
        TimeSpan grace = options.Value.Grace;
        foreach (ObjectStore store in (ObjectStore[])[objects, grainState, keyEnvelopes]) temporary += await store.CollectTemporaryAsync(grace, cancellationToken);
        return new CollectedBytes(versions, bytes, temporary);
    }

    /// <summary>Every version, by owner, that nobody has written to for the grace time: a few words of memory for each.</summary>
    private async Task<Dictionary<UserId, Dictionary<VersionId, StoredVersion>>> FindOldAsync(CancellationToken cancellationToken)
    {
        Dictionary<UserId, Dictionary<VersionId, StoredVersion>> owners = [];
        await foreach (StoredFile file in files.ListAllAsync(cancellationToken))
        {
            if (!owners.TryGetValue(file.Owner, out Dictionary<VersionId, StoredVersion>? versions)) owners[file.Owner] = versions = [];
            StoredVersion version = versions.GetValueOrDefault(file.Version);
            DateTimeOffset written = version.WrittenAt > file.LastModified ? version.WrittenAt : file.LastModified;
            versions[file.Version] = new StoredVersion(version.Bytes + file.Length, written, version.HasUploadObjects || file.IsForUploadOnly);
        }
        DateTimeOffset limit = time.GetUtcNow() - options.Value.Grace;
        foreach ((UserId owner, Dictionary<VersionId, StoredVersion> versions) in owners)
        {
            foreach (VersionId young in versions.Where(pair => pair.Value.WrittenAt > limit).Select(pair => pair.Key).ToArray()) versions.Remove(young);
            if (versions.Count == 0) owners.Remove(owner);
        }
        return owners;
    }

    private readonly record struct StoredVersion(long Bytes, DateTimeOffset WrittenAt, bool HasUploadObjects);
}
