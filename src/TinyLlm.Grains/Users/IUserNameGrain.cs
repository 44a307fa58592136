using TinyLlm.Grains.Calls;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>Maps one folded user name to an internal id and keeps it unique. Key: the folded name.</summary>
[Alias("tinyllm.IUserNameGrain")]
public interface IUserNameGrain : IGrainWithStringKey
{
    /// <summary>The id behind exactly this spelling, or null.</summary>
    [Repeatable]
    [Alias("Resolve")]
    Task<UserId?> Resolve(string name);

    /// <summary>The id behind the name in whatever spelling, or null.</summary>
    [Repeatable]
    [Alias("Find")]
    Task<UserId?> Find();

    /// <summary>
    /// Reserves the name and answers the id that goes with it. A repeat with the same spelling answers the same id, so that a creation that
    /// was cut off can be finished; another spelling is refused.
    /// </summary>
    [Alias("Claim")]
    Task<UserId> Claim(string name);

    /// <summary>Gives the name back, if it still belongs to <paramref name="user"/>.</summary>
    [Alias("Release")]
    Task Release(UserId user);
}
