using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;
using TinyLlm.Storage;

namespace TinyLlm.Host.Management;

/// <summary>The host's signatures for those who verify them, and the rotation of keys: a user's own, and the host's by the operator.</summary>
internal static class KeysRoutes
{
    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/signing-key", SigningKeyAsync).RequireScope(TokenScopes.Read).Produces<PublicKey>();
        routes.MapGet("/api/models/{owner}/{model}/versions/{version:int}/signature", SignatureAsync).RequireScope(TokenScopes.Read)
            .Produces(200, contentType: "application/octet-stream");
        routes.MapPost("/api/me/key/rotate", RotateOwnAsync).RequireScope(TokenScopes.Write).Produces<Rotated>();
        routes.MapPost("/api/admin/host-key/rotate", RotateHostAsync).RequireScope(TokenScopes.Admin).Produces<Rotated>();
    }

    private static async Task<IResult> SigningKeyAsync(IGrainFactory grains)
    {
        string pem = await grains.GetGrain<IHostKeysGrain>(IHostKeysGrain.Key).GetSigningKey();
        string id = VerifyingKey.TryParsePem(pem, out VerifyingKey? key) ? key.Hint : throw new InvalidOperationException("the signing key's public half is not PEM");
        return Results.Json(new PublicKey(id, pem), JsonBody.Options);
    }

    private static async Task<IResult> SignatureAsync(
        string owner, string model, int version, HttpContext http, Caller caller, ModelDirectory directory, ModelFiles files)
    {
        GrantedModel granted = await directory.LeaseAsync(caller, ModelName.Parse($"{owner}/{model}") with { Version = version }, ModelRight.Download);
        ReadOnlyMemory<byte> bundle = await files.ReadSignatureAsync(granted.Lease.Owner, granted.Lease.Version, http.RequestAborted) ?? throw RequestException.NotFound("model");
        if (SignedManifest.DigestOf(bundle.Span) != granted.Lease.SignatureDigest) throw new StoreException(StoreError.Damaged, "the version's signature is not the one that its owner's record names");
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers.CacheControl = "private, no-store";
        return Results.Bytes(bundle, "application/octet-stream", "model.sig");
    }

    private static async Task<IResult> RotateOwnAsync(Caller caller, ModelDirectory directory)
    {
        caller.RequireEveryModel("The key");
        return Results.Json(new Rotated(await directory.OwnGrain(caller).RotateKey()), JsonBody.Options);
    }

    private static async Task<IResult> RotateHostAsync(IGrainFactory grains) =>
        Results.Json(new Rotated(await grains.GetGrain<IHostKeysGrain>(IHostKeysGrain.Key).Rotate()), JsonBody.Options);

    /// <param name="Id">What bundles name the key by.</param>
    /// <param name="PublicKeyPem">PEM.</param>
    private sealed record PublicKey(string Id, [property: System.Text.Json.Serialization.JsonPropertyName("public_key")] string PublicKeyPem);

    /// <param name="Rewrapped">Keys that were wrapped anew.</param>
    private sealed record Rotated(int Rewrapped);
}
