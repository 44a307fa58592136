using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace TinyLlm.EndToEnd.Tests.Crash;

/// <summary>Lists, downloads and chats, and holds every answer to what the host had acknowledged before the request began.</summary>
internal sealed class Reader(HostDoor door, IReadOnlyList<Ledger> ledgers, int seed)
{
    private const int Tokens = 4;

    private readonly Random random = new(seed);

    public int Downloads { get; private set; }

    public int Answers { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Ledger ledger = ledgers[random.Next(ledgers.Count)];
            int? version = await ListAsync(ledger, stop);
            if (version is null) continue;
            if (await DownloadAsync(ledger, version.Value, stop) is { } mark) await ChatAsync(ledger, version.Value, mark, stop);
        }
    }

    /// <summary>Nothing acknowledged is missing; answers some version to read.</summary>
    public async Task<int?> ListAsync(Ledger ledger, CancellationToken stop)
    {
        Dictionary<int, string> kept = ledger.Kept();
        HostAnswer list = (await SendAsync(ledger, HttpMethod.Get, $"api/models/{ledger.User}/{Uploader.Model}/versions", null, stop))
            .Require("versions", HttpStatusCode.OK, HttpStatusCode.NotFound);
        Dictionary<int, string> found = list.Status == HttpStatusCode.NotFound ? []
            : list.Json["versions"]!.AsArray().ToDictionary(item => (int)item!["version"]!, item => (string)item!["digest"]!);
        foreach ((int version, string digest) in kept)
        {
            if (ledger.IsDeleting(version)) continue;
            Assert.True(found.TryGetValue(version, out string? stored), $"{ledger.User}: version {version} was acknowledged and is gone");
            Assert.Equal(digest, stored);
        }
        return found.Count == 0 ? null : found.Keys.ElementAt(random.Next(found.Count));
    }

    /// <summary>Every file is whole and of one version; answers its mark, or null when the version was deleted meanwhile.</summary>
    public async Task<string?> DownloadAsync(Ledger ledger, int version, CancellationToken stop)
    {
        HostAnswer detail = await SendAsync(ledger, HttpMethod.Get, $"api/models/{ledger.User}/{Uploader.Model}", null, stop);
        HashSet<string> marks = [];
        foreach (string file in MarkedModel.New(random).Files().Keys)
        {
            HostAnswer answer = await door.SendAsync(
                ledger.Token, HttpMethod.Get, $"api/models/{ledger.User}/{Uploader.Model}/versions/{version}/files/{file}", null, stop, () => ledger.IsDeleting(version));
            if (IsDeleted(answer, ledger, version, file)) return null;
            marks.Add(MarkedModel.MarkOf(answer.Body) ?? throw new InvalidOperationException($"{ledger.User}@{version}: {file} has no mark"));
            if (detail.Status == HttpStatusCode.OK && (int)detail.Json["model"]!["version"]! == version) AssertDigest(detail.Json, file, answer.Body);
        }
        string mark = Assert.Single(marks);
        if (ledger.MarkOf(version) is { } acknowledged) Assert.Equal(acknowledged, mark);
        Downloads++;
        return mark;
    }

    private async Task ChatAsync(Ledger ledger, int version, string mark, CancellationToken stop)
    {
        HostAnswer answer = await SendAsync(ledger, HttpMethod.Post, "v1/completions", () => JsonContent.Create(new
        {
            model = $"{ledger.User}/{Uploader.Model}@{version}",
            prompt = "Say it",
            max_tokens = Tokens,
            temperature = 0,
        }), stop);
        if (answer.Status == HttpStatusCode.ServiceUnavailable) return;
        if (answer.Status == HttpStatusCode.Forbidden)
        {
            // Its version was deleted while it was being written.
            Assert.True(ledger.IsDeleting(version), $"{ledger.User}@{version} completion: {answer.Text}");
            return;
        }
        if (IsDeleted(answer, ledger, version, "completion")) return;
        Assert.Equal(new string(MarkedModel.LetterOf(mark), Tokens), (string?)answer.Json["choices"]![0]!["text"]);
        Answers++;
    }

    private static bool IsDeleted(HostAnswer answer, Ledger ledger, int version, string what)
    {
        bool gone = answer.Require($"{ledger.User}@{version} {what}", HttpStatusCode.OK, HttpStatusCode.NotFound).Status == HttpStatusCode.NotFound;
        Assert.True(!gone || ledger.IsDeleting(version), $"{ledger.User}: version {version} was listed and is gone: {answer.Text}");
        return gone;
    }

    private static void AssertDigest(JsonNode detail, string file, byte[] bytes) => Assert.Equal(
        (string?)detail["files"]!.AsArray().Single(item => (string?)item!["name"] == file)!["sha256"], Convert.ToHexStringLower(SHA256.HashData(bytes)));

    private Task<HostAnswer> SendAsync(Ledger ledger, HttpMethod method, string route, Func<HttpContent>? content, CancellationToken stop) =>
        door.SendAsync(ledger.Token, method, route, content, stop);
}
