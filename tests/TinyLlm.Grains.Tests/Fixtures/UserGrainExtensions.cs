using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains.Tests;

/// <summary>What tests ask a user's grain in one line.</summary>
internal static class UserGrainExtensions
{
    /// <summary>What the token may do, or null when it is not accepted; counted like any request.</summary>
    public static async Task<TokenVerdict?> AuthenticateAsync(this IUserGrain user, string token) => (await user.Admit(token)).Verdict;
}
