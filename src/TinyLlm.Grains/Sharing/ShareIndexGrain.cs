using System.Collections.Immutable;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Sharing;

/// <summary>What an index keeps. Property names are the stored format.</summary>
internal sealed class ShareIndexState
{
    /// <summary>By owner's id: what the owner shares, and the last notice.</summary>
    public Dictionary<string, OwnerShares> Owners { get; set; } = [];
}

/// <summary>One owner's part of an index.</summary>
internal sealed class OwnerShares
{
    public required long Serial { get; set; }

    public HashSet<string> Models { get; set; } = [];
}

/// <inheritdoc cref="IShareIndexGrain"/>
[OnCoreSilos]
[GrainType("shareindex")]
internal sealed class ShareIndexGrain(
    [PersistentState("shares", GrainStorageHosting.DefaultName)] IPersistentState<ShareIndexState> state) : Grain, IShareIndexGrain
{
    /// <summary>Models in one index. A listing asks each owner once, and all of it is in memory: some 100 KB.</summary>
    public const int MaxModels = 1_000;

    public Task<bool> HasRoom(UserId owner, string model)
    {
        bool listed = state.State.Owners.GetValueOrDefault(owner.Value)?.Models.Contains(model) == true;
        return Task.FromResult(listed || state.State.Owners.Values.Sum(shares => shares.Models.Count) < MaxModels);
    }

    public async Task Apply(ShareNotice notice)
    {
        // The number stays when the last model goes: a notice that was delayed may still come.
        OwnerShares? shares = state.State.Owners.GetValueOrDefault(notice.Owner.Value);
        if (shares is null) state.State.Owners[notice.Owner.Value] = shares = new OwnerShares { Serial = 0 };
        if (notice.Serial <= shares.Serial) return;
        shares.Serial = notice.Serial;
        if (notice.IsShared) shares.Models.Add(notice.Model);
        else shares.Models.Remove(notice.Model);
        await GrainSave.OrForget(this, state);
    }

    public Task<ImmutableArray<SharedModel>> List()
    {
        ImmutableArray<SharedModel> listed =
        [
            .. state.State.Owners.SelectMany(pair => pair.Value.Models.Select(model => new SharedModel(UserId.Parse(pair.Key), model))),
        ];
        if (!state.RecordExists) DeactivateOnIdle(); // most users are shared nothing
        return Task.FromResult(listed);
    }

    public async Task Clear()
    {
        DeactivateOnIdle();
        if (state.RecordExists) await state.ClearStateAsync();
    }
}
