using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;

namespace TinyLlm.Host.Management;

/// <summary>A user's own access tokens. A token never makes one that may do more than itself.</summary>
internal static class TokensRoutes
{
    private const int MaxNameLength = 100;
    private const int MaxModels = 100;

    public static void MapTokens(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/tokens", CreateAsync).RequireScope(TokenScopes.Write).Accepts<CreateToken>("application/json").Produces<CreatedToken>(201);
        routes.MapGet("/api/tokens", ListAsync).RequireScope(TokenScopes.Read).Produces<TokenList>();
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

        IssuedToken token = await user.CreateToken(
            new TokenSpec { Name = request.Name, Scopes = scopes, Models = ResolveModels(request.Models, caller), ExpiresAt = request.ExpiresAt });
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

    private static async Task<IResult> ListAsync(Caller caller, ModelDirectory directory)
    {
        ImmutableArray<TokenFacts> tokens = await directory.OwnGrain(caller).ListTokens();
        TokenEntry[] entries =
        [
            .. tokens.Select(token => new TokenEntry(
                token.Id, token.Spec.Name, [.. token.Spec.Scopes.ToNames()], token.Spec.Models?.ToArray(), token.CreatedAt, token.Spec.ExpiresAt, token.LastUsedAt)),
        ];
        return Results.Json(new TokenList(entries), JsonBody.Options);
    }

    private static async Task<IResult> RevokeAsync(string id, Caller caller, ModelDirectory directory)
    {
        await directory.OwnGrain(caller).RevokeToken(id);
        return Results.NoContent();
    }

    private sealed record CreateToken(string Name, string[]? Scopes = null, string[]? Models = null, DateTimeOffset? ExpiresAt = null);

    private sealed record CreatedToken(string Id, string Token);

    private sealed record TokenEntry(
        string Id, string Name, string[] Scopes, string[]? Models, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt);

    private sealed record TokenList(TokenEntry[] Tokens);
}
