using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Host.Audit;
using TinyLlm.Host.Errors;

namespace TinyLlm.Host.Access;

/// <summary>
/// The scheme "Bearer": access tokens of ours in the Authorization header, and nowhere else; where a provider outside is configured, its JWTs too.
/// The request is counted against its user's rates here, and refused when one is used up.
/// </summary>
internal sealed class BearerAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory loggers, UrlEncoder encoder, TokenVerdicts verdicts, OidcSignIn outside,
    FailedAuthentications failures)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string SchemeName = "Bearer";

    /// <summary>Type of the claims that carry the scopes' names.</summary>
    public const string ScopeClaim = "scope";

    private const string Prefix = "Bearer ";

    /// <summary>Longer than any token; what is longer is not looked at.</summary>
    private const int MaxTokenLength = 4096;

    /// <summary>What the request's Authorization header bears; null when that is nothing of this scheme.</summary>
    public static string? TokenOf(HttpRequest request)
    {
        string? header = request.Headers.Authorization;
        return header is not null && header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? header[Prefix.Length..].Trim() : null;
    }

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (TokenOf(Request) is not { } token) return AuthenticateResult.NoResult();
        if (token.Length is 0 or > MaxTokenLength) return AuthenticateResult.Fail("no token has this length");
        (Caller Caller, Admission? Admission)? found = outside.Takes(token) ? await outside.FindAsync(Context) : await verdicts.FindAsync(token);
        if (found is not var (caller, admission))
        {
            failures.Add(token);
            return AuthenticateResult.Fail("unknown token");
        }

        if (admission?.Levels is { } levels) RateHeaders.Show(Context, levels);
        if (admission is { RetryAfter: { } wait, Levels: { } used }) throw RateRefusals.UsedUp(used, wait);
        Context.Features.Set(caller);
        ClaimsIdentity identity = new(caller.Scopes.ToNames().Select(name => new Claim(ScopeClaim, name)), SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => ErrorWriter.WriteAsync(
        Context, new RequestException(RequestError.Unauthenticated, "A valid access token is needed: send it as 'Authorization: Bearer <token>'."));

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        string? scope = Context.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.Name;
        return ErrorWriter.WriteAsync(
            Context, new RequestException(RequestError.ScopeLacking, $"This route needs a token with the scope '{scope}': ask for one that has it."));
    }
}
