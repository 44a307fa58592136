using System.Text.Json.Serialization;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;
using TinyLlm.Storage;

namespace TinyLlm.Host.Management;

/// <summary>Users: made, listed and removed by the operator; a user may remove itself.</summary>
internal static class UsersRoutes
{
    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/users", CreateAsync).RequireScope(TokenScopes.Admin).Accepts<CreateUser>("application/json").Produces<CreatedUser>(201);
        routes.MapGet("/api/users", ListAsync).RequireScope(TokenScopes.Admin).Produces<UserList>();
        // The scope depends on who asks, so the handler decides it; any accepted token reaches it.
        routes.MapDelete("/api/users/{id}", DeleteAsync).RequireAuthorization().Produces<DeletedUser>();
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

    private static async Task<IResult> ListAsync(UserList_ users, CancellationToken cancellationToken) =>
        Results.Json(new UserList([.. await users.ReadAsync(cancellationToken)]), JsonBody.Options);

    private static async Task<IResult> DeleteAsync(string id, Caller caller, ModelDirectory directory)
    {
        bool self = id == caller.UserName;
        TokenScopes needed = self ? TokenScopes.Write : TokenScopes.Admin;
        if (!caller.Scopes.HasFlag(needed))
        {
            throw new RequestException(RequestError.ScopeLacking, "Deleting a user needs the scope 'admin', or 'write' for oneself.");
        }
        IUserGrain user = await directory.FindUserAsync(id, "user");
        ForgetReceipt receipt = await user.Forget() ?? throw RequestException.NotFound("user");
        return Results.Json(
            new DeletedUser(receipt.Name, receipt.Models, receipt.Versions, receipt.Tokens, receipt.StoredBytes, receipt.CompletedAt), JsonBody.Options);
    }

    private static async Task<IResult> MeAsync(Caller caller, ModelDirectory directory)
    {
        UserFacts facts = await directory.OwnGrain(caller).Describe() ?? throw RequestException.NotFound("user");
        return Results.Json(new Me(facts.Name, facts.CreatedAt, facts.Models, facts.StoredBytes, [.. caller.Scopes.ToNames()]), JsonBody.Options);
    }

    private sealed record CreateUser(string Id);

    private sealed record CreatedUser(string Id, string Token);

    private sealed record UserList(UserEntry[] Users);

    private sealed record DeletedUser(string Id, int Models, int Versions, int Tokens, long StoredBytes, DateTimeOffset DeletedAt);

    private sealed record Me(string Id, DateTimeOffset CreatedAt, int Models, long StoredBytes, string[] Scopes);
}
