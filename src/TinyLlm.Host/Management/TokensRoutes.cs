using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;

namespace TinyLlm.Host.Management;

/// <summary>A user's own access tokens. A token never makes, renews or ends one that may do more than itself.</summary>
internal static class TokensRoutes
{
    private const int MaxNameLength = 100;
    private const int MaxModels = 100;

    /// <summary>A week: the longest that a deployment takes to reach every machine.</summary>
    private const int MaxGraceSeconds = 7 * 24 * 3600;

    public static void MapTokens(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/tokens", CreateAsync).RequireScope(TokenScopes.Write).Accepts<CreateToken>("application/json").Produces<CreatedToken>(201);
        routes.MapGet("/api/tokens", ListAsync).RequireScope(TokenScopes.Read).Produces<TokenList>();
        routes.MapPost("/api/tokens/{id}/rotate", RotateAsync).RequireScope(TokenScopes.Write).Accepts<RotateToken>("application/json").Produces<RotatedSecret>();
        routes.MapDelete("/api/tokens/{id}", RevokeAsync).RequireScope(TokenScopes.Write).Produces(204);
    }

    private static async Task<IResult> CreateAsync(HttpContext http, Caller caller, ModelDirectory directory)
    {
        CreateToken request = await JsonBody.ReadAsync<CreateToken>(http);
        IUserGrain user = directory.OwnGrain(caller);
        if (request.Name.Length is 0 or > MaxNameLength || request.Name.Any(char.IsControl))
        {
            throw new RequestException(RequestError.Malformed, $"name: must be 1 to {MaxNameLength} characters, none of them a control character.") { Parameter = "name" };
        }

        TokenScopes scopes = request.Scopes is null ? caller.Scopes : TokenScopeNames.Parse(request.Scopes);
        if ((scopes & ~caller.Scopes) != 0)
        {
            throw new RequestException(RequestError.ScopeLacking, $"scopes: your token has {string.Join(", ", caller.Scopes.ToNames())}, and can't make one that has more.")
            {
                Parameter = "scopes",
            };
        }

        IssuedToken token = await user.CreateToken(new TokenSpec
        {
            Name = request.Name,
            Scopes = scopes,
            Models = ResolveModels(request.Models, caller),
            ExpiresAt = ResolveExpiry(request.ExpiresAt, caller),
            Limits = ResolveLimits(request.Limits, caller),
        });
        return Results.Json(new CreatedToken(token.Id, token.Text), JsonBody.Options, statusCode: StatusCodes.Status201Created);
    }

    /// <summary>The allow-list in its full form, "owner/model", and no wider than the caller's own.</summary>
    private static ImmutableArray<string>? ResolveModels(string[]? models, Caller caller)
    {
        if (models is null or []) return caller.Models;
        if (models.Length > MaxModels)
        {
            throw new RequestException(RequestError.Malformed, $"models: {models.Length} are named, and {MaxModels} is the bound.") { Parameter = "models" };
        }
        string own = caller.RequireUserName();
        ImmutableArray<string>.Builder resolved = ImmutableArray.CreateBuilder<string>(models.Length);
        foreach (string model in models)
        {
            ModelName name = ModelName.Parse(model);
            string owner = name.Owner ?? own;
            if (name.Version is not null || !caller.MayUse(owner, name.Model)) throw RequestException.NotFound("model");
            resolved.Add($"{owner}/{name.Model}");
        }
        return resolved.ToImmutable();
    }

    /// <summary>A token that ends makes none that lasts longer.</summary>
    private static DateTimeOffset? ResolveExpiry(DateTimeOffset? asked, Caller caller)
    {
        if (caller.Bearer?.ExpiresAt is not { } own) return asked;
        if (asked > own)
        {
            throw new RequestException(RequestError.ScopeLacking, $"expires_at: your token ends at {own:O}, and can't make one that ends later.") { Parameter = "expires_at" };
        }
        return asked ?? own;
    }

    private static TokenLimits? ResolveLimits(TokenLimitFields? asked, Caller caller)
    {
        if (asked is null) return caller.Limits;
        if (asked.RequestsPerMinute < 1 || asked.TokensPerMinute < 1 || asked.ConcurrentStreams < 1)
        {
            throw new RequestException(RequestError.Malformed, "limits: each must be at least 1, or absent.") { Parameter = "limits" };
        }
        return new TokenLimits
        {
            RequestsPerMinute = asked.RequestsPerMinute,
            TokensPerMinute = asked.TokensPerMinute,
            ConcurrentStreams = asked.ConcurrentStreams,
        }.Within(caller.Limits);
    }

    private static async Task<IResult> RotateAsync(string id, HttpContext http, Caller caller, ModelDirectory directory)
    {
        RotateToken request = await JsonBody.ReadOptionalAsync<RotateToken>(http) ?? new RotateToken();
        if (request.GraceSeconds < 0 || request.GraceSeconds > MaxGraceSeconds)
        {
            throw new RequestException(RequestError.Malformed, $"grace_seconds: must be between 0 and {MaxGraceSeconds}.") { Parameter = "grace_seconds" };
        }
        RotatedToken token = await directory.OwnGrain(caller).RotateToken(new TokenRotation
        {
            TokenId = id,
            Grace = TimeSpan.FromSeconds(request.GraceSeconds),
            Asking = Asking(caller),
        });
        return Results.Json(new RotatedSecret(id, token.Text, token.OldValidUntil), JsonBody.Options);
    }

    private static async Task<IResult> ListAsync(Caller caller, ModelDirectory directory)
    {
        ImmutableArray<TokenFacts> tokens = await directory.OwnGrain(caller).ListTokens();
        TokenEntry[] entries =
        [
            .. tokens.Select(token => new TokenEntry(
                token.Id, token.Spec.Name, [.. token.Spec.Scopes.ToNames()], token.Spec.Models?.ToArray(), token.CreatedAt, token.Spec.ExpiresAt,
                token.LastUsedAt, TokenLimitFields.Of(token.Spec.Limits), token.PreviousUntil)),
        ];
        return Results.Json(new TokenList(entries), JsonBody.Options);
    }

    private static async Task<IResult> RevokeAsync(string id, Caller caller, ModelDirectory directory)
    {
        await directory.OwnGrain(caller).RevokeToken(id, Asking(caller));
        return Results.NoContent();
    }

    private static TokenSpec Asking(Caller caller) =>
        new() { Name = "", Scopes = caller.Scopes, Models = caller.Models, ExpiresAt = caller.Bearer?.ExpiresAt, Limits = caller.Limits };

    private sealed record CreateToken(
        string Name, string[]? Scopes = null, string[]? Models = null, DateTimeOffset? ExpiresAt = null, TokenLimitFields? Limits = null);

    private sealed record CreatedToken(string Id, string Token);

    private sealed record RotateToken(int GraceSeconds = 0);

    private sealed record RotatedSecret(string Id, string Token, DateTimeOffset OldValidUntil);

    private sealed record TokenLimitFields(long? RequestsPerMinute = null, long? TokensPerMinute = null, int? ConcurrentStreams = null)
    {
        public static TokenLimitFields? Of(TokenLimits? limits) =>
            limits is null ? null : new TokenLimitFields(limits.RequestsPerMinute, limits.TokensPerMinute, limits.ConcurrentStreams);
    }

    private sealed record TokenEntry(
        string Id,
        string Name,
        string[] Scopes,
        string[]? Models,
        DateTimeOffset CreatedAt,
        DateTimeOffset? ExpiresAt,
        DateTimeOffset? LastUsedAt,
        TokenLimitFields? Limits,
        DateTimeOffset? OldSecretValidUntil);

    private sealed record TokenList(TokenEntry[] Tokens);
}
