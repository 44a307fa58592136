using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace TinyLlm.Cli.Tests.StandIn;

/// <summary>
/// The server's side of an upload, in memory, with the faults that a network makes: per attempt at a file, what happens to it.
/// </summary>
internal sealed class UploadTarget
{
    private const string Upload = "/api/models/{model}/uploads/{id}";

    /// <summary>Decides on the nth attempt (from 1) at a file; null lets it succeed.</summary>
    public Func<string, int, HttpContext, Task<bool>>? Interfere { get; init; }

    /// <summary>Durable bytes by file.</summary>
    public Dictionary<string, byte[]> Files { get; } = [];

    /// <summary>What happened, in order.</summary>
    public List<string> Log { get; } = [];

    /// <summary>What the commit said that the files are: SHA-256 by name.</summary>
    public Dictionary<string, string> Expected { get; } = [];

    public void Map(WebApplication app)
    {
        Dictionary<string, int> attempts = [];
        app.MapPost("/api/models/{model}/uploads", (string model) =>
        {
            Log.Add($"begin {model}");
            return Results.Json(new { id = "u1" }, statusCode: 201);
        });
        app.MapPut(Upload + "/files/{name}", async (string name, HttpContext context) =>
        {
            long offset = long.Parse(context.Request.Headers["Upload-Offset"].Single()!, System.Globalization.CultureInfo.InvariantCulture);
            Log.Add($"put {name} from {offset}");
            attempts[name] = attempts.GetValueOrDefault(name) + 1;
            if (Interfere is not null && await Interfere(name, attempts[name], context)) return;

            using MemoryStream body = new();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            string digest = $"sha-256=:{Convert.ToBase64String(SHA256.HashData(body.ToArray()))}:";
            if (offset != Files.GetValueOrDefault(name, []).Length) context.Response.StatusCode = 409;
            else if (context.Request.Headers["Content-Digest"] != digest) context.Response.StatusCode = 400;
            else Files[name] = [.. Files.GetValueOrDefault(name, []), .. body.ToArray()];
        });
        app.MapMethods(Upload + "/files/{name}", ["HEAD"], (string name, HttpContext context) =>
        {
            Log.Add($"head {name}");
            context.Response.Headers["Upload-Offset"] = $"{Files.GetValueOrDefault(name, []).Length}";
        });
        app.MapPost(Upload + "/commit", async (string model, HttpContext context) =>
        {
            Log.Add("commit");
            foreach (JsonNode? file in (await JsonNode.ParseAsync(context.Request.Body))!["files"]!.AsArray()) Expected.Add((string)file!["name"]!, (string)file["sha256"]!);
            return Results.Json(new { owner = "alice", model, version = 1, digest = "d1" }, statusCode: 201);
        });
        app.MapDelete(Upload, () => Log.Add("abandon"));
    }

    /// <summary>Makes <paramref name="durableBytes"/> of the body durable, then drops the connection.</summary>
    public async Task<bool> DropAfterAsync(string name, HttpContext context, int durableBytes)
    {
        byte[] bytes = new byte[durableBytes];
        await context.Request.Body.ReadExactlyAsync(bytes, context.RequestAborted);
        Files[name] = [.. Files.GetValueOrDefault(name, []), .. bytes];
        context.Abort();
        return true;
    }
}
