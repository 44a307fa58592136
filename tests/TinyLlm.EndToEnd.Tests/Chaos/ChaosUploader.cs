using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Crash;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>Publishes versions of one model, each marked in its files and in what it answers, and remembers which were acknowledged.</summary>
internal sealed class ChaosUploader(TwoAddressClient client, string user, string token)
{
    private const string Model = "marked";
    private const int Tokens = 8;

    private readonly Random _random = new();
    private readonly Ledger _ledger = new(user, token);

    public int Commits => _ledger.Commits;

    /// <summary>One version from its first byte to its first answer; a step that fails twice ends it.</summary>
    public async Task PublishAsync()
    {
        MarkedModel model = MarkedModel.New(_random);
        // The key makes the second attempt meet the upload of the first, if that one began.
        JsonNode? begun = await SendAsync(HttpMethod.Post, $"api/models/{Model}/uploads", () => new ByteArrayContent([]) { Headers = { { "Idempotency-Key", model.Mark } } });
        if (begun is null) return;
        string upload = $"api/models/{Model}/uploads/{(string)begun["id"]!}";
        foreach ((string file, byte[] bytes) in model.Files())
        {
            if (await SendAsync(HttpMethod.Put, $"{upload}/files/{file}", () => new ByteArrayContent(bytes)) is null) return;
        }
        if (await SendAsync(HttpMethod.Post, $"{upload}/commit", () => null) is not { } committed) return;
        int version = (int)committed["version"]!;
        _ledger.Commit(version, model.Mark, (string)committed["digest"]!);

        JsonObject body = new() { ["model"] = $"{Model}@{version}", ["prompt"] = "Say it", ["max_tokens"] = Tokens, ["temperature"] = 0 };
        JsonNode? answer = await client.SendAsync("first answers", HttpMethod.Post, "v1/completions", () => JsonContent.Create(body), ReadAsync);
        Assert.True(answer is null || (string?)answer["choices"]![0]!["text"] == new string(model.Letter, Tokens), $"version {version} answers like another: {answer}");
    }

    /// <summary>Every acknowledged version is there, with the digest that was told.</summary>
    public async Task VerifyAsync(RunningHost api)
    {
        using UserClient owner = UserClient.Known(api, user, token);
        Dictionary<int, string> found = (await owner.GetAsync($"api/models/{user}/{Model}/versions"))["versions"]!.AsArray()
            .ToDictionary(item => (int)item!["version"]!, item => (string)item!["digest"]!);
        foreach ((int version, string digest) in _ledger.Kept()) Assert.Equal(digest, found.GetValueOrDefault(version));
    }

    private Task<JsonNode?> SendAsync(HttpMethod method, string route, Func<HttpContent?> content) => client.SendAsync("writes", method, route, content, ReadAsync);

    private static async Task<JsonNode> ReadAsync(HttpResponseMessage answer, Silence silence)
    {
        string text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }
}
