using TinyLlm.Grains.Access;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains.Tests;

/// <summary>What tests ask a user's grain in one line.</summary>
internal static class UserGrainExtensions
{
    /// <summary>Ends a token as one that may do everything.</summary>
    public static Task RevokeToken(this IUserGrain user, string tokenId) =>
        user.RevokeToken(tokenId, new TokenSpec { Name = "", Scopes = TokenScopeNames.EveryUserScope });

    /// <summary>Asks as a request of its own, of a process of that silo.</summary>
    public static Task<WriteLease> BeginWrite(this IUserGrain user, string model, string uploadId, string fileName, SiloAddress? silo = null) =>
        user.BeginWrite(model, uploadId, fileName, WriteClaim.New(silo));

    /// <summary>Commits as a request of its own, of a process of that silo.</summary>
    public static Task<CommitTicket> BeginCommit(this IUserGrain user, string model, string uploadId, SiloAddress? silo = null) =>
        user.BeginCommit(model, uploadId, CommitClaim.New(silo));

    /// <summary>What the token may do, or null when it is not accepted; counted like any request.</summary>
    public static async Task<TokenVerdict?> AuthenticateAsync(this IUserGrain user, string token) => (await user.Admit(token)).Verdict;
}
