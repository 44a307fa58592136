using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Storage;

namespace TinyLlm.Host.Models;

/// <summary>
/// Step 2 of a request's life: from the name in a request to the owner's grain, and to the owner's decision. Whatever is wrong with the
/// name, the owner, the model or the right gives one answer.
/// </summary>
internal sealed class ModelDirectory(IGrainFactory grains)
{
    /// <summary>The grain of a user that the operator or a request names; refused as <paramref name="kind"/> when there is none.</summary>
    public async Task<IUserGrain> FindUserAsync(string name, string kind)
    {
        if (!EntityName.TryParse(name, out EntityName parsed)) throw RequestException.NotFound(kind);
        UserId? user = await grains.GetGrain<IUserNameGrain>(parsed.Folded).Resolve(parsed.Value);
        return user is { } id ? grains.GetGrain<IUserGrain>(id.Value) : throw RequestException.NotFound(kind);
    }

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
}
