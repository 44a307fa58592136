using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>
/// Users who never stop asking: whole answers and streams, held to the reference word for word, and one who publishes version after version. More than
/// the machine can do, so every core is busy throughout.
/// </summary>
internal sealed class ChaosLoad : IAsyncDisposable
{
    private const int Talkers = 4;
    private const string Model = "stories";

    // Nothing is heard of a whole answer until it is made, twice if its silo dies: a short one, so that its silence tells of the cluster.
    private const int WholeTokens = 16;

    private static readonly GreedyCase s_case = Stories.GreedyCases()[0];

    private readonly CancellationTokenSource _stop = new();
    private readonly List<TwoAddressClient> _clients = [];
    private readonly List<Task> _workers = [];
    private ChaosUploader? _uploader;

    public ChaosTally Tally { get; } = new();

    /// <summary>Versions whose commit was acknowledged.</summary>
    public int Commits => _uploader!.Commits;

    /// <summary>Whether a version was published, and a request needed its second attempt.</summary>
    public bool HasBeenHit => Commits > 0 && Tally.Repeated > 0;

    /// <summary>Makes the users and their models while all is calm, and begins.</summary>
    public static async Task<ChaosLoad> BeginAsync(RunningCluster cluster)
    {
        ChaosLoad load = new();
        for (int i = 0; i < Talkers; i++)
        {
            using UserClient user = await NewUserAsync(cluster);
            await user.UploadStoriesAsync(Model);
            Assert.Equal(s_case.NewText, await user.CompleteAsync(Model, s_case.Prompt, s_case.NewIds.Length));
            string wholeText = await user.CompleteAsync(Model, s_case.Prompt, WholeTokens);
            Assert.StartsWith(wholeText, s_case.NewText, StringComparison.Ordinal);
            List<JsonNode> chat = await user.StreamAsync("v1/chat/completions", ChatBody());
            string chatText = string.Concat(chat.Select(ChatDelta));
            TwoAddressClient client = load.NewClient(cluster, user);
            load._workers.Add(Task.Run(() => load.TalkAsync(client, wholeText, chatText)));
        }
        using (UserClient publisher = await NewUserAsync(cluster))
        {
            load._uploader = new ChaosUploader(load.NewClient(cluster, publisher), publisher.Name, publisher.Token);
            load._workers.Add(Task.Run(async () =>
            {
                while (!load._stop.IsCancellationRequested) await load._uploader.PublishAsync();
            }));
        }
        return load;
    }

    /// <summary>Fails at once with what a worker failed with; to be asked now and then.</summary>
    public async Task CheckAsync()
    {
        foreach (Task worker in _workers.Where(worker => worker.IsCompleted)) await worker;
    }

    /// <summary>Lets the last answers end, and holds what was acknowledged to what is there.</summary>
    public async Task EndAsync(RunningHost api)
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_workers);
        await _uploader!.VerifyAsync(api);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_workers).ContinueWith(_ => { }, TaskScheduler.Default); // a test that failed has told why already
        foreach (TwoAddressClient client in _clients) client.Dispose();
        _stop.Dispose();
    }

    private static async Task<UserClient> NewUserAsync(RunningCluster cluster)
    {
        UserClient user = await UserClient.CreateAsync(cluster.Api[0], $"user-{Guid.NewGuid():N}");
        await user.LiftRatesAsync(cluster.Api[0]);
        return user;
    }

    private TwoAddressClient NewClient(RunningCluster cluster, UserClient user)
    {
        TwoAddressClient client = new(cluster, Tally, user.Token);
        _clients.Add(client);
        return client;
    }

    private async Task TalkAsync(TwoAddressClient client, string wholeText, string chatText)
    {
        while (!_stop.IsCancellationRequested)
        {
            string? whole = await client.SendAsync("whole answers", HttpMethod.Post, "v1/completions", () => JsonContent.Create(TextBody(WholeTokens)), ReadWholeAsync);
            Assert.True(whole is null || whole == wholeText, $"a whole answer is not the reference's: {whole}");
            string? streamed = await client.SendAsync(
                "text streams", HttpMethod.Post, "v1/completions", () => JsonContent.Create(Streamed(TextBody(s_case.NewIds.Length))), (answer, silence) => ReadStreamAsync(answer, silence, TextDelta));
            Assert.True(streamed is null || streamed == s_case.NewText, $"a stream that looked whole is not the reference's: {streamed}");
            string? chat = await client.SendAsync(
                "chat streams", HttpMethod.Post, "v1/chat/completions", () => JsonContent.Create(Streamed(ChatBody())), (answer, silence) => ReadStreamAsync(answer, silence, ChatDelta));
            Assert.True(chat is null || chat == chatText, $"a chat that looked whole is not what it was: {chat}");
        }
    }

    private static JsonObject TextBody(int tokens) => new() { ["model"] = Model, ["prompt"] = s_case.Prompt, ["temperature"] = 0, ["max_tokens"] = tokens };

    private static JsonObject ChatBody() => new()
    {
        ["model"] = Model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = s_case.Prompt }),
        ["temperature"] = 0,
        ["max_tokens"] = 64,
    };

    private static JsonObject Streamed(JsonObject body)
    {
        body["stream"] = true;
        return body;
    }

    private static async Task<string> ReadWholeAsync(HttpResponseMessage answer, Silence silence)
    {
        string text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
        return (string)JsonNode.Parse(text)!["choices"]![0]!["text"]!;
    }

    /// <summary>The text of a stream that says itself that it is whole.</summary>
    private static async Task<string> ReadStreamAsync(HttpResponseMessage answer, Silence silence, Func<JsonNode, string> delta)
    {
        using StreamReader reader = new(await answer.Content.ReadAsStreamAsync(CancellationToken.None));
        StringBuilder text = new();
        while (await reader.ReadLineAsync(CancellationToken.None) is { } line)
        {
            silence.Broken();
            if (!line.StartsWith("data: ", StringComparison.Ordinal)) continue;
            string data = line["data: ".Length..];
            if (data == "[DONE]") return text.ToString();
            JsonNode json = JsonNode.Parse(data)!;
            if (json["error"] is { } error) throw new BrokenAttemptException(error.ToJsonString());
            text.Append(delta(json));
        }
        throw new BrokenAttemptException("the stream ended without its end");
    }

    private static string TextDelta(JsonNode chunk) => (string?)chunk["choices"]![0]!["text"] ?? "";

    private static string ChatDelta(JsonNode chunk) => (string?)chunk["choices"]![0]!["delta"]?["content"] ?? "";
}
