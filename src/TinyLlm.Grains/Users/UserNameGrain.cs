using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Placement;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>What a name grain keeps.</summary>
internal sealed class UserNameState
{
    public string Name { get; set; } = "";

    public UserId User { get; set; }
}

/// <inheritdoc cref="IUserNameGrain"/>
[OnCoreSilos]
[GrainType(TypeName)]
internal sealed class UserNameGrain(
    [PersistentState(UserNameGrain.StateName, GrainStorageHosting.DefaultName)] IPersistentState<UserNameState> state) : Grain, IUserNameGrain
{
    // Both are part of the stored object's name.
    public const string StateName = "name";
    public const string TypeName = "username";

    public async Task<UserId?> Resolve(string name)
    {
        UserId? user = await Find();
        return state.State.Name == name ? user : null;
    }

    public Task<UserId?> Find()
    {
        if (state.RecordExists) return Task.FromResult<UserId?>(state.State.User);
        DeactivateOnIdle(); // a guessed name must not stay in memory
        return Task.FromResult<UserId?>(null);
    }

    public async Task<UserId> Claim(string name)
    {
        if (state.RecordExists)
        {
            if (state.State.Name == name) return state.State.User;
            throw new RequestException(RequestError.NameTaken, "A user of this name exists, in another case: choose another name.") { Parameter = "id" };
        }

        state.State = new UserNameState { Name = name, User = UserId.New() };
        await GrainSave.OrForget(this, state);
        return state.State.User;
    }

    public async Task Release(UserId user)
    {
        if (!state.RecordExists || state.State.User != user) return;
        await state.ClearStateAsync();
        DeactivateOnIdle();
    }
}
