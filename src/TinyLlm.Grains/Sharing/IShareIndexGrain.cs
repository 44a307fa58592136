using System.Collections.Immutable;
using TinyLlm.Grains.Calls;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Sharing;

/// <summary>
/// Lists the models that owners say they share: with one user (key: the internal id), or with everyone on this host (key: "*"). It grants
/// nothing and may be behind; every answer is checked with the owner before anybody sees it.
/// </summary>
[Alias("tinyllm.IShareIndexGrain")]
public interface IShareIndexGrain : IGrainWithStringKey
{
    /// <summary>Whether the model is listed, or may be: an index is bounded, so that nobody can fill another's.</summary>
    [Repeatable]
    [Alias("HasRoom")]
    Task<bool> HasRoom(UserId owner, string model);

    /// <summary>Takes a notice. A repeat, or one that is older than the owner's last, changes nothing.</summary>
    [Alias("Apply")]
    Task Apply(ShareNotice notice);

    /// <summary>What is shared, in no order.</summary>
    [Repeatable]
    [Alias("List")]
    Task<ImmutableArray<SharedModel>> List();

    /// <summary>Forgets all: the user is gone.</summary>
    [Alias("Clear")]
    Task Clear();
}
