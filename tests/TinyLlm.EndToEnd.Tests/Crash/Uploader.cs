using System.Globalization;
using System.Net;
using System.Security.Cryptography;

namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>Uploads, commits and deletes versions of one model, as a client does that repeats what was cut off.</summary>
internal sealed class Uploader(HostDoor door, Ledger ledger, int seed)
{
    public const string Model = "marked";

    private const int KeptVersions = 4;

    private readonly Random random = new(seed);

    /// <summary>The upload that is under way.</summary>
    public string? OpenUpload { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await PublishAsync(stop);
            if (ledger.BeginDeletion(KeptVersions) is { } version)
            {
                (await SendAsync(HttpMethod.Delete, $"api/models/{ledger.User}/{Model}/versions/{version}", null, stop))
                    .Require("delete", HttpStatusCode.OK, HttpStatusCode.NotFound); // the latter when the first answer was cut off
            }
        }
    }

    /// <summary>Uploads and commits one version.</summary>
    public async Task PublishAsync(CancellationToken stop)
    {
        MarkedModel model = MarkedModel.New(random);
        HostAnswer begun = (await SendAsync(HttpMethod.Post, $"api/models/{Model}/uploads", () => Keyed(model.Mark), stop)).Require("begin", HttpStatusCode.Created);
        OpenUpload = (string)begun.Json["id"]!;
        foreach ((string file, byte[] bytes) in model.Files().OrderBy(_ => random.Next())) await PutAsync(file, bytes, stop);
        HostAnswer committed = (await SendAsync(HttpMethod.Post, $"api/models/{Model}/uploads/{OpenUpload}/commit", null, stop)).Require("commit", HttpStatusCode.Created);
        ledger.Commit((int)committed.Json["version"]!, model.Mark, (string)committed.Json["digest"]!);
        OpenUpload = null;
    }

    /// <summary>In one or two pieces; after a cut, from its start or from where the host says.</summary>
    private async Task PutAsync(string file, byte[] bytes, CancellationToken stop)
    {
        string route = $"api/models/{Model}/uploads/{OpenUpload}/files/{file}";
        int? offset = null;
        while (true)
        {
            int from = offset ?? 0;
            int count = random.Next(2) == 0 ? bytes.Length - from : random.Next(bytes.Length - from + 1);
            int? at = offset;
            bool isDigested = random.Next(2) == 0; // such a body is kept as a whole or not at all, and by another way
            HostAnswer? put = await door.TrySendAsync(ledger.Token, HttpMethod.Put, route, () => Piece(bytes.AsMemory(from, count), at, isDigested), stop);
            put?.Require($"put {file} at {from}", HttpStatusCode.OK);
            if (put is null && random.Next(2) == 0)
            {
                offset = null;
                continue;
            }
            HostAnswer head = (await SendAsync(HttpMethod.Head, route, null, stop)).Require("head", HttpStatusCode.OK);
            offset = int.Parse(head.UploadOffset!, CultureInfo.InvariantCulture);
            if (put is null) Assert.InRange(offset.Value, 0, bytes.Length);
            else Assert.Equal(from + count, offset);
            if (offset == bytes.Length) return;
        }
    }

    private Task<HostAnswer> SendAsync(HttpMethod method, string route, Func<HttpContent>? content, CancellationToken stop) =>
        door.SendAsync(ledger.Token, method, route, content, stop);

    /// <summary>The idempotency key makes a repeat of a begin that was cut off meet the same upload.</summary>
    private static ByteArrayContent Keyed(string key) => new([]) { Headers = { { "Idempotency-Key", key } } };

    private static ReadOnlyMemoryContent Piece(ReadOnlyMemory<byte> bytes, int? offset, bool isDigested)
    {
        ReadOnlyMemoryContent content = new(bytes);
        if (offset is { } at) content.Headers.Add("Upload-Offset", at.ToString(CultureInfo.InvariantCulture));
        if (isDigested) content.Headers.Add("Content-Digest", $"sha-256=:{Convert.ToBase64String(SHA256.HashData(bytes.Span))}:");
        return content;
    }
}
