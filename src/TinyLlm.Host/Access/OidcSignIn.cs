using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Host.Access;

/// <summary>
/// Bearer tokens of the configured provider: the framework's JWT handler checks signature, issuer, audience and times, and the claims become a
/// user of this host with scopes. Such a token never has the operator's scope.
/// </summary>
internal sealed class OidcSignIn(IGrainFactory grains, IOptions<AccessOptions> options)
{
    /// <summary>The framework's scheme behind ours.</summary>
    public const string SchemeName = "Oidc";

    private readonly OidcOptions _options = options.Value.Oidc;
    private readonly TokenScopes _defaultScopes = Known(options.Value.Oidc.DefaultScopeNames);

    /// <summary>Whether a presented text is for the provider to judge: a JWT has three parts, and no token of ours has a dot.</summary>
    public bool Takes(string token) => _options.IsEnabled && token.Count(c => c == '.') == 2;

    /// <summary>The user that the request's JWT names, and how the request was counted; null when it is not accepted.</summary>
    public async Task<(Caller Caller, Admission? Admission)?> FindAsync(HttpContext http)
    {
        AuthenticateResult result = await http.AuthenticateAsync(SchemeName);
        if (!result.Succeeded) return null;
        string? name = result.Principal.FindFirstValue(_options.UserClaim);
        if (!EntityName.TryParse(name, out EntityName user) || await FindUserAsync(user) is not { } id) return null;

        Admission admission = await grains.GetGrain<IUserGrain>(id.Value).AdmitExternal(Scopes(result.Principal), result.Properties?.ExpiresUtc);
        return admission.Verdict is { } verdict ? (Caller.Of(verdict), admission) : null;
    }

    private async Task<UserId?> FindUserAsync(EntityName user)
    {
        IUserNameGrain names = grains.GetGrain<IUserNameGrain>(user.Folded);
        if (await names.Resolve(user.Value) is { } known) return known;
        // Another spelling of a user is not that user, and can't be made either.
        if (!_options.CreateUsers || await names.Find() is not null) return null;
        UserId id = await names.Claim(user.Value);
        await grains.GetGrain<IUserGrain>(id.Value).Enroll(user.Value);
        return id;
    }

    private TokenScopes Scopes(ClaimsPrincipal principal)
    {
        Claim[] claims = [.. principal.FindAll(_options.ScopeClaim)];
        return claims.Length == 0
            ? _defaultScopes
            : Known(claims.SelectMany(claim => claim.Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }

    /// <summary>The scopes of ours among the words; the operator's is not to be had from outside.</summary>
    private static TokenScopes Known(IEnumerable<string> words) =>
        TokenScopeNames.Parse(words.Intersect(TokenScopeNames.EveryUserScope.ToNames(), StringComparer.Ordinal));
}
