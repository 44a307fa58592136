using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Sharing;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Storage;

namespace TinyLlm.Host.Models;

/// <summary>
/// Step 2 of a request's life: from the name in a request to the owner's grain, and to the owner's decision. Whatever is wrong with the
/// name, the owner, the model or the right gives one answer.
/// </summary>
internal sealed partial class ModelDirectory(IGrainFactory grains, ILogger<ModelDirectory> logger)
{
    /// <summary>Key of the index of what is shared with everyone on this host.</summary>
    private const string Everyone = "*";

    /// <summary>The grain of a user that the operator or a request names; refused as <paramref name="kind"/> when there is none.</summary>
    public async Task<IUserGrain> FindUserAsync(string name, string kind)
    {
        UserId user = await ResolveUserAsync(name) ?? throw RequestException.NotFound(kind);
        return grains.GetGrain<IUserGrain>(user.Value);
    }

    /// <summary>The internal id behind a user's name, or null.</summary>
    public async Task<UserId?> ResolveUserAsync(string name) =>
        EntityName.TryParse(name, out EntityName parsed) ? await grains.GetGrain<IUserNameGrain>(parsed.Folded).Resolve(parsed.Value) : null;

    /// <summary>The caller's own grain.</summary>
    public IUserGrain OwnGrain(Caller caller) => grains.GetGrain<IUserGrain>(caller.RequireUser().Value);

    /// <summary>The grain of a model's owner.</summary>
    public async Task<IUserGrain> FindOwnerAsync(Caller caller, ModelName name)
    {
        string owner = name.Owner ?? caller.RequireUserName();
        if (!caller.MayUse(owner, name.Model)) throw RequestException.NotFound("model");
        return owner == caller.UserName ? OwnGrain(caller) : await FindUserAsync(owner, "model");
    }

    /// <summary>The owner's decision on one use of one model.</summary>
    public async Task<GrantedModel> LeaseAsync(Caller caller, ModelName name, ModelRight right)
    {
        IUserGrain owner = await FindOwnerAsync(caller, name);
        return await owner.Lease(caller.RequireUser(), name.Model, name.Version, right);
    }

    /// <summary>A version that the caller may use in any way.</summary>
    public async Task<VisibleModel> FindModelAsync(Caller caller, ModelName name)
    {
        IUserGrain owner = await FindOwnerAsync(caller, name);
        return await owner.FindModel(caller.RequireUser(), name.Model, name.Version);
    }

    /// <summary>
    /// The current version of every model that the caller may use: the caller's own, then those shared with the caller or with everyone, by name.
    /// The indexes say where to look, and each owner says whether it is so; an owner that does not answer is left out.
    /// </summary>
    public async Task<PublishedVersion[]> ListAsync(Caller caller)
    {
        UserId user = caller.RequireUser();
        Task<ImmutableArray<PublishedVersion>> own = OwnGrain(caller).ListModels();
        ImmutableArray<SharedModel>[] shared = await Task.WhenAll(
            grains.GetGrain<IShareIndexGrain>(user.Value).List(), grains.GetGrain<IShareIndexGrain>(Everyone).List());
        ImmutableArray<PublishedVersion>[] others = await Task.WhenAll(shared
            .SelectMany(models => models)
            .Distinct()
            .Where(model => model.Owner != user)
            .GroupBy(model => model.Owner, model => model.Model)
            .Select(group => ListSharedAsync(user, group.Key, [.. group])));
        IEnumerable<PublishedVersion> sorted = others
            .SelectMany(models => models)
            .OrderBy(model => model.Owner, StringComparer.Ordinal)
            .ThenBy(model => model.Model, StringComparer.Ordinal);
        return [.. (await own).Concat(sorted).Where(model => caller.MayUse(model.Owner, model.Model))];
    }

    private async Task<ImmutableArray<PublishedVersion>> ListSharedAsync(UserId caller, UserId owner, ImmutableArray<string> models)
    {
        try
        {
            return await grains.GetGrain<IUserGrain>(owner.Value).ListShared(caller, models);
        }
        catch (Exception exception)
        {
            LogNotListed(logger, owner, exception);
            return [];
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Owner {Owner} did not answer: the list of models lacks those that it shares")]
    private static partial void LogNotListed(ILogger logger, UserId owner, Exception exception);
}
