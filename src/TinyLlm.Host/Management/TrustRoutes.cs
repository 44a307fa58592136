using System.Text.Json.Serialization;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Trust;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;

namespace TinyLlm.Host.Management;

/// <summary>The public keys whose signatures of models a user trusts, and whether a model needs one.</summary>
internal static class TrustRoutes
{
    private const int MaxNameLength = 100;

    private const string Subject = "Trust";

    public static void MapTrust(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder trust = routes.MapGroup("/api/me/trust");
        trust.MapGet("", GetAsync).RequireScope(TokenScopes.Read).Produces<TrustEntry>();
        trust.MapPut("", SetAsync).RequireScope(TokenScopes.Write).Accepts<SetTrust>("application/json").Produces<TrustEntry>();
        trust.MapPost("keys", AddAsync).RequireScope(TokenScopes.Write).Accepts<AddKey>("application/json").Produces<KeyEntry>(201);
        trust.MapDelete("keys/{id}", RemoveAsync).RequireScope(TokenScopes.Write).Produces(204);
    }

    private static async Task<IResult> GetAsync(Caller caller, ModelDirectory directory) =>
        Results.Json(TrustEntry.Of(await directory.OwnGrain(caller).GetTrust()), JsonBody.Options);

    private static async Task<IResult> SetAsync(HttpContext http, Caller caller, ModelDirectory directory)
    {
        SetTrust request = await JsonBody.ReadAsync<SetTrust>(http);
        caller.RequireEveryModel(Subject);
        return Results.Json(TrustEntry.Of(await directory.OwnGrain(caller).RequireTrustedSignature(request.RequireTrustedSignature)), JsonBody.Options);
    }

    private static async Task<IResult> AddAsync(HttpContext http, Caller caller, ModelDirectory directory)
    {
        AddKey request = await JsonBody.ReadAsync<AddKey>(http);
        caller.RequireEveryModel(Subject);
        if (request.Name.Length is 0 or > MaxNameLength || request.Name.Any(char.IsControl))
        {
            throw new RequestException(RequestError.Malformed, $"name: must be 1 to {MaxNameLength} characters, none of them a control character.") { Parameter = "name" };
        }
        TrustedKey key = await directory.OwnGrain(caller).AddTrustedKey(request.Name, request.PublicKey);
        return Results.Json(KeyEntry.Of(key), JsonBody.Options, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> RemoveAsync(string id, Caller caller, ModelDirectory directory)
    {
        caller.RequireEveryModel(Subject);
        await directory.OwnGrain(caller).RemoveTrustedKey(id);
        return Results.NoContent();
    }

    private sealed record SetTrust(bool RequireTrustedSignature);

    private sealed record AddKey(string Name, string PublicKey);

    /// <param name="Id">What bundles name the key by.</param>
    /// <param name="Name">What the user calls it.</param>
    /// <param name="PublicKeyPem">PEM.</param>
    /// <param name="AddedAt">Since when it is trusted.</param>
    private sealed record KeyEntry(string Id, string Name, [property: JsonPropertyName("public_key")] string PublicKeyPem, DateTimeOffset AddedAt)
    {
        public static KeyEntry Of(TrustedKey key) => new(key.Id, key.Name, key.Pem, key.AddedAt);
    }

    private sealed record TrustEntry(bool RequireTrustedSignature, KeyEntry[] Keys)
    {
        public static TrustEntry Of(TrustPolicy policy) => new(policy.RequireTrustedSignature, [.. policy.Keys.Select(KeyEntry.Of)]);
    }
}
