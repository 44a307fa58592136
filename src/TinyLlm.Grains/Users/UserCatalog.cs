using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>
/// Lists the users by reading the store's own index of name grains: no grain keeps a list that every creation would have to write. A user
/// made or removed during the listing may be in it or not.
/// </summary>
public sealed class UserCatalog(
    [FromKeyedServices(DataFolder.GrainStateContainer)] ObjectStore grainState, IGrainFactory grains)
{
    /// <summary>Up to <paramref name="limit"/> users whose folded names come after <paramref name="after"/>, in that order.</summary>
    public async Task<ImmutableArray<UserFacts>> ListAsync(string after, int limit, CancellationToken cancellationToken)
    {
        // A name may belong to nobody (yet, or any more), and a short page means the end: so fill it.
        ImmutableArray<UserFacts>.Builder users = ImmutableArray.CreateBuilder<UserFacts>();
        while (true)
        {
            SortedSet<string> names = await NextNamesAsync(after, limit - users.Count, cancellationToken);
            UserFacts?[] found = await Task.WhenAll(names.Select(DescribeAsync));
            users.AddRange(found.OfType<UserFacts>());
            if (names.Count == 0 || users.Count == limit) return users.ToImmutable();
            after = names.Max!; // not empty
        }
    }

    /// <summary>The listing has no order, so these are the smallest names seen.</summary>
    private async Task<SortedSet<string>> NextNamesAsync(string after, int limit, CancellationToken cancellationToken)
    {
        SortedSet<string> page = new(StringComparer.Ordinal);
        await foreach (ObjectInfo info in grainState.ListAsync($"{UserNameGrain.StateName}-{UserNameGrain.TypeName}", cancellationToken))
        {
            string folded = Path.GetFileNameWithoutExtension(info.Name);
            if (string.CompareOrdinal(folded, after) <= 0) continue;
            page.Add(folded);
            if (page.Count > limit) page.Remove(page.Max!); // never empty here
        }
        return page;
    }

    private async Task<UserFacts?> DescribeAsync(string folded)
    {
        UserId? user = await grains.GetGrain<IUserNameGrain>(folded).Find();
        return user is { } id ? await grains.GetGrain<IUserGrain>(id.Value).Describe() : null;
    }
}
