using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sharing;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;
using TinyLlm.Storage;

namespace TinyLlm.Host.Management;

/// <summary>Sharing: an owner lets another user, or everyone on this host ("*"), use a model.</summary>
internal static class GrantsRoutes
{
    private const string Everyone = "*";

    private static readonly ImmutableArray<(string Name, ModelRight Right)> Rights =
        [("infer", ModelRight.Infer), ("fine_tune", ModelRight.FineTune), ("download", ModelRight.Download)];

    public static void MapGrants(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder grants = routes.MapGroup("/api/models/{owner}/{model}/grants");
        grants.MapGet("", ListAsync).RequireScope(TokenScopes.Read).Produces<GrantList>();
        grants.MapPut("{user}", PutAsync).RequireScope(TokenScopes.Write).Accepts<PutGrant>("application/json").Produces<GrantEntry>();
        grants.MapDelete("{user}", DeleteAsync).RequireScope(TokenScopes.Write).Produces(204);
    }

    private static async Task<IResult> PutAsync(string owner, string model, string user, HttpContext http, Caller caller, ModelDirectory directory)
    {
        ModelsRoutes.RequireOwn(caller, owner, model);
        PutGrant request = await JsonBody.ReadAsync<PutGrant>(http);
        if (request.TokenBudget < 1) throw new RequestException(RequestError.Malformed, "token_budget: must be at least 1, or absent.") { Parameter = "token_budget" };
        UserId? grantee = await FindGranteeAsync(user, directory);
        if (grantee == caller.User) throw new RequestException(RequestError.Malformed, "user: the model is yours, and needs no grant.") { Parameter = "user" };
        GrantSpec spec = new()
        {
            Model = model,
            Grantee = grantee,
            GranteeName = user,
            Rights = ParseRights(request.Rights),
            ExpiresAt = request.ExpiresAt,
            TokenBudget = request.TokenBudget,
        };
        await directory.OwnGrain(caller).Grant(spec);
        return Results.Json(Entry(new GrantFacts { Spec = spec, CreatedAt = default, TokensUsed = 0 }), JsonBody.Options);
    }

    private static async Task<IResult> DeleteAsync(string owner, string model, string user, Caller caller, ModelDirectory directory)
    {
        ModelsRoutes.RequireOwn(caller, owner, model);
        await directory.OwnGrain(caller).RevokeGrant(model, await FindGranteeAsync(user, directory));
        return Results.NoContent();
    }

    private static async Task<IResult> ListAsync(string owner, string model, Caller caller, ModelDirectory directory)
    {
        ModelsRoutes.RequireOwn(caller, owner, model);
        ImmutableArray<GrantFacts> grants = await directory.OwnGrain(caller).ListGrants(model);
        bool[] current = await Task.WhenAll(grants.Select(grant => IsCurrentAsync(grant.Spec, directory)));
        return Results.Json(new GrantList([.. grants.Where((_, index) => current[index]).Select(Entry)]), JsonBody.Options);
    }

    /// <summary>Whether the name still belongs to whom the grant was made to: that of a deleted user may be another's by now.</summary>
    private static async Task<bool> IsCurrentAsync(GrantSpec grant, ModelDirectory directory) =>
        grant.Grantee is null || await directory.ResolveUserAsync(grant.GranteeName) == grant.Grantee;

    private static async Task<UserId?> FindGranteeAsync(string user, ModelDirectory directory) =>
        user == Everyone ? null : await directory.ResolveUserAsync(user) ?? throw RequestException.NotFound("user");

    private static ModelRight ParseRights(string[]? names)
    {
        ModelRight rights = ModelRight.None;
        foreach (string name in names ?? ["infer"])
        {
            ModelRight right = Rights.FirstOrDefault(pair => pair.Name == name).Right;
            if (right == ModelRight.None) throw BadRights();
            rights |= right;
        }
        return rights == ModelRight.None ? throw BadRights() : rights;
    }

    private static RequestException BadRights() =>
        new(RequestError.Malformed, $"rights: must be one or more of {string.Join(", ", Rights.Select(pair => pair.Name))}.") { Parameter = "rights" };

    private static GrantEntry Entry(GrantFacts grant) => new(
        grant.Spec.Grantee is null ? Everyone : grant.Spec.GranteeName,
        [.. Rights.Where(pair => grant.Spec.Rights.HasFlag(pair.Right)).Select(pair => pair.Name)],
        grant.Spec.ExpiresAt,
        grant.Spec.TokenBudget,
        grant.TokensUsed);

    private sealed record PutGrant(string[]? Rights = null, DateTimeOffset? ExpiresAt = null, long? TokenBudget = null);

    /// <param name="User">The grantee's name, or "*".</param>
    /// <param name="Rights">What may be done.</param>
    /// <param name="ExpiresAt">When the grant ends by itself.</param>
    /// <param name="TokenBudget">Tokens that may be used in all.</param>
    /// <param name="TokensUsed">Tokens that were used under the budget.</param>
    private sealed record GrantEntry(string User, string[] Rights, DateTimeOffset? ExpiresAt, long? TokenBudget, long TokensUsed);

    private sealed record GrantList(GrantEntry[] Grants);
}
