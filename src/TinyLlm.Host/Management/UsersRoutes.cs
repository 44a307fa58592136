using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Models;
using TinyLlm.Storage;

namespace TinyLlm.Host.Management;

/// <summary>Users: made, listed and removed by the operator; a user may remove itself.</summary>
internal static class UsersRoutes
{
    /// <summary>Users of one page; each costs a call of its grain.</summary>
    private const int MaxPage = 100;

    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/users", CreateAsync).RequireScope(TokenScopes.Admin).Accepts<CreateUser>("application/json").Produces<CreatedUser>(201);
        routes.MapGet("/api/users", ListAsync).RequireScope(TokenScopes.Admin).Produces<UserList>();
        // The scope depends on who asks, so the handler decides it; any accepted token reaches it.
        routes.MapDelete("/api/users/{id}", DeleteAsync).RequireAuthorization().WithoutTimeout().Produces<DeletedUser>();
        routes.MapGet("/api/me", MeAsync).RequireScope(TokenScopes.Read).Produces<Me>();
    }

    private static async Task<IResult> CreateAsync(HttpContext http, IGrainFactory grains)
    {
        CreateUser request = await JsonBody.ReadAsync<CreateUser>(http);
        if (!EntityName.TryParse(request.Id, out EntityName name))
        {
            throw new RequestException(RequestError.Malformed, $"id: must be {EntityName.Rule}.") { Parameter = "id" };
        }
        UserId user = await grains.GetGrain<IUserNameGrain>(name.Folded).Claim(name.Value);
        IssuedToken token = await grains.GetGrain<IUserGrain>(user.Value).Create(name.Value);
        return Results.Json(new CreatedUser(name.Value, token.Text), JsonBody.Options, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListAsync(UserCatalog users, CancellationToken cancellationToken, string after = "", int limit = MaxPage)
    {
        if (limit is < 1 or > MaxPage)
        {
            throw new RequestException(RequestError.Malformed, $"limit: must be between 1 and {MaxPage}.") { Parameter = "limit" };
        }
        ImmutableArray<UserFacts> page = await users.ListAsync(after.ToLowerInvariant(), limit, cancellationToken);
        UserEntry[] entries = [.. page.Select(user => new UserEntry(user.Name, user.CreatedAt, user.Models, user.StoredBytes))];
        return Results.Json(new UserList(entries, entries.Length == limit ? entries[^1].Id : null), JsonBody.Options);
    }

    private static async Task<IResult> DeleteAsync(string id, Caller caller, ModelDirectory directory)
    {
        bool self = id == caller.UserName;
        TokenScopes needed = self ? TokenScopes.Write : TokenScopes.Admin;
        if (!caller.Scopes.HasFlag(needed))
        {
            throw new RequestException(RequestError.ScopeLacking, "Deleting a user needs the scope 'admin', or 'write' for oneself.");
        }
        caller.RequireEveryModel("The deletion of a user");
        IUserGrain user = await directory.FindUserAsync(id, "user");
        ForgetReceipt receipt = await user.Forget() ?? throw RequestException.NotFound("user");
        return Results.Json(
            new DeletedUser(receipt.Name, receipt.Models, receipt.Versions, receipt.Tokens, receipt.StoredBytes, receipt.KeyDestroyedAt, receipt.CompletedAt, receipt.Receipt), JsonBody.Options);
    }

    private static async Task<IResult> MeAsync(Caller caller, ModelDirectory directory)
    {
        UserFacts facts = await directory.OwnGrain(caller).Describe() ?? throw RequestException.NotFound("user");
        return Results.Json(new Me(
            facts.Name, facts.CreatedAt, facts.Models, facts.StoredBytes, [.. caller.Scopes.ToNames()], facts.Quota is { } quota ? QuotaFields.Of(quota) : null), JsonBody.Options);
    }

    private sealed record CreateUser(string Id);

    private sealed record CreatedUser(string Id, string Token);

    private sealed record UserEntry(string Id, DateTimeOffset CreatedAt, int Models, long StoredBytes);

    /// <param name="Users">One page, by name.</param>
    /// <param name="NextAfter">What to send as "after" for the next page, or null at the end.</param>
    private sealed record UserList(UserEntry[] Users, string? NextAfter);

    private sealed record DeletedUser(string Id, int Models, int Versions, int Tokens, long StoredBytes, DateTimeOffset KeyDestroyedAt, DateTimeOffset DeletedAt, SignedReceipt Receipt);

    private sealed record Me(string Id, DateTimeOffset CreatedAt, int Models, long StoredBytes, string[] Scopes, QuotaFields? Quota);
}
