using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Models;
using TinyLlm.Storage;

namespace TinyLlm.Host.Management;

/// <summary>Uploads of a caller's own models: begin, write files, commit or abandon.</summary>
internal static class UploadsRoutes
{
    private const string OffsetHeader = "Upload-Offset";
    private const string DigestHeader = "Content-Digest";
    private const string IdempotencyHeader = "Idempotency-Key";
    private const int MaxIdempotencyKeyLength = 255;

    /// <summary>Enough for the names and digests of as many files as an upload may have at most.</summary>
    private const int MaxCommitBytes = 256 * 1024;

    public static void MapUploads(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder uploads = routes.MapGroup("/api/models/{model}/uploads").RequireScope(TokenScopes.Write);
        uploads.MapPost("", BeginAsync).Produces<BegunUpload>(201);
        uploads.MapPut("{id}/files/{name}", WriteAsync).WithoutTimeout().Produces<WrittenFile>();
        uploads.MapMethods("{id}/files/{name}", [HttpMethods.Head], OffsetAsync).Produces(200);
        uploads.MapPost("{id}/commit", CommitAsync).Accepts<CommitBody>(isOptional: true, "application/json").Produces<CommittedVersion>(201);
        uploads.MapDelete("{id}", AbandonAsync).Produces(204);
    }

    private static async Task<IResult> BeginAsync(string model, HttpContext http, Caller caller, ModelDirectory directory)
    {
        RequireAllowed(caller, model);
        string? key = http.Request.Headers[IdempotencyHeader];
        if (key is { Length: 0 or > MaxIdempotencyKeyLength })
        {
            throw new RequestException(RequestError.Malformed, $"{IdempotencyHeader}: must have 1 to {MaxIdempotencyKeyLength} characters.") { Parameter = IdempotencyHeader };
        }
        UploadTicket ticket = await directory.OwnGrain(caller).BeginUpload(model, key);
        return Results.Json(new BegunUpload(ticket.UploadId, ticket.ExpiresAt), JsonBody.Options, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> WriteAsync(
        string model, string id, string name, HttpContext http, Caller caller, ModelDirectory directory, UploadService uploads)
    {
        RequireAllowed(caller, model);
        ModelFileName file = FileName(name);
        if (http.Request.Headers.ContentEncoding.Count > 0)
        {
            throw new RequestException(RequestError.WrongMediaType, "Content-Encoding: files are taken as they are, without a content coding.") { FileName = name };
        }

        // The bound is the owner's quota, which the store enforces while it writes, and not the server's for ordinary bodies.
        IHttpMaxRequestBodySizeFeature? bodyLimit = http.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (bodyLimit is { IsReadOnly: false }) bodyLimit.MaxRequestBodySize = null;

        long length = await uploads.WriteAsync(Upload(caller, directory, model, id), file, http.Request.Body, Offset(http), Digest(http), http.RequestAborted);
        http.Response.Headers[OffsetHeader] = length.ToString(CultureInfo.InvariantCulture);
        return Results.Json(new WrittenFile(file.Value, length), JsonBody.Options);
    }

    private static async Task<IResult> OffsetAsync(
        string model, string id, string name, HttpContext http, Caller caller, ModelDirectory directory, UploadService uploads)
    {
        RequireAllowed(caller, model);
        ModelFileName file = FileName(name);
        UploadTicket ticket = await directory.OwnGrain(caller).GetUpload(model, id);
        long length = await uploads.LengthAsync(caller.RequireUser(), ticket.Version, file, http.RequestAborted);
        http.Response.Headers[OffsetHeader] = length.ToString(CultureInfo.InvariantCulture);
        http.Response.Headers.CacheControl = "no-store";
        return Results.Ok();
    }

    private static async Task<IResult> CommitAsync(string model, string id, HttpContext http, Caller caller, ModelDirectory directory, UploadService uploads)
    {
        RequireAllowed(caller, model);
        ExpectedFiles? expected = await JsonBody.ReadOptionalAsync<CommitBody>(http, MaxCommitBytes) is { } body ? Expected(body) : null;
        http.WithoutTimeoutFromHere();
        PublishedVersion version = await uploads.CommitAsync(Upload(caller, directory, model, id), expected, http.RequestAborted);
        return Results.Json(
            new CommittedVersion(version.Owner, version.Model, version.Number, version.ManifestDigest), JsonBody.Options, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> AbandonAsync(string model, string id, Caller caller, ModelDirectory directory)
    {
        RequireAllowed(caller, model);
        await directory.OwnGrain(caller).AbandonUpload(model, id);
        return Results.NoContent();
    }

    private static UploadService.Upload Upload(Caller caller, ModelDirectory directory, string model, string id) =>
        new(caller.RequireUser(), directory.OwnGrain(caller), model, id);

    private static void RequireAllowed(Caller caller, string model)
    {
        if (!caller.MayUse(caller.RequireUserName(), model)) throw RequestException.NotFound("model");
    }

    private static ModelFileName FileName(string name) => ModelFileName.TryParse(name, out ModelFileName file)
        ? file
        : throw new RequestException(RequestError.Malformed, $"name: no file of a model has this name; allowed are {string.Join(", ", ModelFileName.KnownNames)} and *.safetensors.")
        {
            Parameter = "name",
            Detail = "file_name_not_allowed",
        };

    private static long? Offset(HttpContext http)
    {
        string? text = http.Request.Headers[OffsetHeader];
        if (text is null) return null;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long offset)
            ? offset
            : throw new RequestException(RequestError.Malformed, $"{OffsetHeader}: must be a whole number of bytes.") { Parameter = OffsetHeader };
    }

    private static ContentDigest? Digest(HttpContext http)
    {
        string? text = http.Request.Headers[DigestHeader];
        if (text is null) return null;
        return ContentDigest.TryParseField(text, out ContentDigest? digest)
            ? digest
            : throw new RequestException(RequestError.Malformed, $"{DigestHeader}: must be 'sha-256=:base64 of 32 bytes:'.") { Parameter = DigestHeader };
    }

    private static ExpectedFiles Expected(CommitBody body)
    {
        Dictionary<ModelFileName, ContentDigest> digests = [];
        foreach ((int index, ExpectedFile? file) in body.Files.Index())
        {
            if (file is null) throw Malformed($"files[{index}]", "must be an object");
            ModelFileName name = FileName(file.Name);
            if (!ContentDigest.TryParseHex(file.Sha256, out ContentDigest? digest)) throw Malformed($"files[{index}].sha256", "must be 64 hexadecimal digits");
            if (!digests.TryAdd(name, digest)) throw Malformed($"files[{index}].name", $"'{name}' occurs twice: name each file once");
        }
        return new ExpectedFiles(digests);
    }

    private static RequestException Malformed(string parameter, string fault) => new(RequestError.Malformed, $"{parameter}: {fault}.") { Parameter = parameter };

    /// <param name="Files">Every file that the upload must have, and no other.</param>
    private sealed record CommitBody(IReadOnlyList<ExpectedFile?> Files);

    private sealed record ExpectedFile(string Name, string Sha256);

    private sealed record BegunUpload(string Id, DateTimeOffset ExpiresAt);

    private sealed record WrittenFile(string Name, long Length);

    private sealed record CommittedVersion(string Owner, string Model, int Version, string Digest);
}
