using System.Collections.Immutable;
using Microsoft.Net.Http.Headers;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Sharing;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Models;
using TinyLlm.Host.Streams;
using TinyLlm.Storage;

namespace TinyLlm.Host.Management;

/// <summary>Models as their owners manage them: list, look at, download, delete.</summary>
internal static class ModelsRoutes
{
    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder models = routes.MapGroup("/api/models");
        models.MapGet("", ListAsync).RequireScope(TokenScopes.Read).Produces<ModelList>();
        models.MapGet("{owner}/{model}", DetailAsync).RequireScope(TokenScopes.Read).Produces<ModelDetail>();
        models.MapGet("{owner}/{model}/versions", VersionsAsync).RequireScope(TokenScopes.Read).Produces<VersionList>();
        models.MapMethods("{owner}/{model}/versions/{version:int}/files/{name}", [HttpMethods.Get, HttpMethods.Head], DownloadAsync)
            .RequireScope(TokenScopes.Read).WithoutTimeout().Produces(200, contentType: "application/octet-stream");
        models.MapPut("{owner}/{model}/current", SetCurrentAsync).RequireScope(TokenScopes.Write).Accepts<CurrentVersion>("application/json").Produces<ModelSummary>();
        models.MapPut("{owner}/{model}/retention", SetRetentionAsync).RequireScope(TokenScopes.Write).Accepts<Retention>("application/json").Produces<Retention>();
        models.MapDelete("{owner}/{model}", DeleteAsync).RequireScope(TokenScopes.Write).Produces<DeletedModel>();
        models.MapDelete("{owner}/{model}/versions/{version:int}", DeleteVersionAsync).RequireScope(TokenScopes.Write).Produces<DeletedModel>();
    }

    private static async Task<IResult> ListAsync(Caller caller, ModelDirectory directory)
    {
        return Results.Json(new ModelList([.. (await directory.ListAsync(caller)).Select(Summary)]), JsonBody.Options);
    }

    private static async Task<IResult> DetailAsync(
        string owner, string model, Caller caller, ModelDirectory directory, ModelFiles files, CancellationToken cancellationToken)
    {
        VisibleModel found = await directory.FindModelAsync(caller, Name(owner, model));
        ModelManifest? manifest = await files.ReadManifestAsync(found.Owner, found.Version.Version, cancellationToken);
        FileEntry[] entries = [.. (manifest?.Files ?? []).Select(file => new FileEntry(file.Name.Value, file.Length, file.Sha256.Hex))];
        return Results.Json(new ModelDetail(Summary(found.Version), entries), JsonBody.Options);
    }

    private static async Task<IResult> VersionsAsync(string owner, string model, Caller caller, ModelDirectory directory)
    {
        ModelName name = Name(owner, model);
        ImmutableArray<PublishedVersion> versions = await (await directory.FindOwnerAsync(caller, name)).ListVersions(caller.RequireUser(), name.Model);
        return Results.Json(new VersionList([.. versions.Select(Summary)]), JsonBody.Options);
    }

    /// <summary>What is withdrawn while the file is on its way ends it: the connection breaks before the length that was announced.</summary>
    private static async Task DownloadAsync(
        string owner, string model, int version, string name, HttpContext http, Caller caller, RunningStreams streams, ReaderPatience patience, ModelDirectory directory, ModelFiles files)
    {
        ModelName wanted = Name(owner, model) with { Version = version };
        await using RunningStream stream = await streams.OpenDownloadAsync(caller, wanted);
        patience.Bound(http);
        await using CancellationTokenRegistration cutting = stream.Cut.Register(http.Abort);
        try
        {
            await SendFileAsync(stream.Granted.Lease, name, http, files);
        }
        catch (StoreException gone) when (gone.Error == StoreError.NotFound && !http.Response.HasStarted)
        {
            // The version was deleted meanwhile: then this is refused as of any that is not there. Or the store has lost a part of it.
            await directory.LeaseAsync(caller, wanted, ModelRight.Download);
            throw new StoreException(StoreError.Damaged, "a file of the version is not there", gone);
        }
    }

    private static async Task SendFileAsync(ModelLease lease, string name, HttpContext http, ModelFiles files)
    {
        ModelManifest manifest = await files.ReadManifestAsync(lease.Owner, lease.Version, http.RequestAborted)
            ?? throw new StoreException(StoreError.NotFound, "the version has no manifest");
        if (manifest.Digest.Hex != lease.ManifestDigest) throw new StoreException(StoreError.Damaged, "the version's manifest is not the one that its owner's record names");
        ManifestFile file = manifest.Files.FirstOrDefault(file => file.Name.Value == name) ?? throw RequestException.NotFound("file");

        // What a user uploaded is bytes to everybody: no browser may take it for a page or a script.
        http.Response.Headers.XContentTypeOptions = "nosniff";
        http.Response.Headers.CacheControl = "private, no-store";
        VersionFile content = await files.OpenAsync(lease.Owner, lease.Version, file.Name, lease.Key, http.RequestAborted);
        IResult result = Results.File(
            content.AsStream(), "application/octet-stream", file.Name.Value, entityTag: new EntityTagHeaderValue($"\"{file.Sha256.Hex}\""), enableRangeProcessing: true);
        await result.ExecuteAsync(http);
    }

    private static async Task<IResult> SetCurrentAsync(string owner, string model, HttpContext http, Caller caller, ModelDirectory directory)
    {
        RequireOwn(caller, owner, model);
        CurrentVersion request = await JsonBody.ReadAsync<CurrentVersion>(http);
        return Results.Json(Summary(await directory.OwnGrain(caller).SetCurrent(model, request.Version)), JsonBody.Options);
    }

    private static async Task<IResult> SetRetentionAsync(string owner, string model, HttpContext http, Caller caller, ModelDirectory directory)
    {
        RequireOwn(caller, owner, model);
        Retention request = await JsonBody.ReadAsync<Retention>(http);
        await directory.OwnGrain(caller).SetKeptVersions(model, request.KeepVersions);
        return Results.Json(request, JsonBody.Options);
    }

    private static async Task<IResult> DeleteAsync(string owner, string model, Caller caller, ModelDirectory directory)
    {
        RequireOwn(caller, owner, model);
        return Deleted(await directory.OwnGrain(caller).DeleteModel(model));
    }

    private static async Task<IResult> DeleteVersionAsync(string owner, string model, int version, Caller caller, ModelDirectory directory)
    {
        RequireOwn(caller, owner, model);
        return Deleted(await directory.OwnGrain(caller).DeleteVersion(model, version));
    }

    /// <summary>Without a receipt the model is gone all the same, and the last of its bytes follow.</summary>
    private static IResult Deleted(SignedReceipt? receipt) => Results.Json(
        new DeletedModel(receipt), JsonBody.Options, statusCode: receipt is null ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);

    /// <summary>Only the owner deletes; to everyone else the model does not exist.</summary>
    internal static void RequireOwn(Caller caller, string owner, string model)
    {
        if (owner != caller.RequireUserName() || !caller.MayUse(owner, model)) throw RequestException.NotFound("model");
    }

    private static ModelName Name(string owner, string model) => ModelName.Parse($"{owner}/{model}");

    private static ModelSummary Summary(PublishedVersion version) => new(
        $"{version.Owner}/{version.Model}",
        version.Owner,
        version.Model,
        version.Number,
        version.ManifestDigest,
        version.CreatedAt,
        version.Facts.Architecture,
        version.Facts.Parameters,
        version.Facts.Tensors,
        version.Facts.StoredBytes,
        version.Facts.ContextLength,
        version.Facts.VocabularySize,
        version.Current,
        new SignatureEntry(
            version.Facts.Signature is null ? "none" : version.HasTrustedSignature ? "trusted" : "untrusted",
            version.Facts.Signature?.Key));

    private sealed record ModelSummary(
        string Id,
        string Owner,
        string Model,
        int Version,
        string Digest,
        DateTimeOffset CreatedAt,
        string Architecture,
        long Parameters,
        int Tensors,
        long Bytes,
        int ContextLength,
        int VocabularySize,
        bool Current,
        SignatureEntry Signature);

    /// <summary>The signature that was uploaded with the files. The host's own is beside every version, and told by no state.</summary>
    /// <param name="State">"none", "untrusted", or "trusted": by a key that the owner trusts.</param>
    /// <param name="Key">The id of the key that made a trusted one, or that an untrusted one names.</param>
    private sealed record SignatureEntry(string State, string? Key);

    /// <param name="Version">The version that the bare name means from now on.</param>
    private sealed record CurrentVersion(int Version);

    /// <param name="KeepVersions">How many versions a publication leaves, the newest; null: what the host says.</param>
    private sealed record Retention(int? KeepVersions);

    /// <param name="Receipt">Signed; see <c>tinyllm receipt verify</c>.</param>
    private sealed record DeletedModel(SignedReceipt? Receipt);

    private sealed record ModelList(ModelSummary[] Models);

    private sealed record VersionList(ModelSummary[] Versions);

    private sealed record FileEntry(string Name, long Bytes, string Sha256);

    private sealed record ModelDetail(ModelSummary Model, FileEntry[] Files);
}
