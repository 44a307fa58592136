using System.ClientModel;
using System.Text;
using System.Text.Json.Nodes;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using OpenAI.Models;
using TinyLlm.EndToEnd.Tests.Harness;
using TinyLlm.Tests;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>The official clients, with the base URL changed and nothing else.</summary>
public sealed class OpenAiClientTests(SharedHost shared)
{
    private const string Question = "Once upon a time";
    private const string Schema = """
        {"type":"object","properties":{"animal":{"enum":["cat","dog"]},"happy":{"type":"boolean"}},"required":["animal","happy"],"additionalProperties":false}
        """;

    [Fact]
    public async Task DotnetClient_ListModelsChatAndStream_Work()
    {
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync();
        OpenAIClient client = Client(user);
        string id = $"{user.Name}/stories";

        OpenAIModelClient models = client.GetOpenAIModelClient();
        OpenAIModelCollection list = await models.GetModelsAsync(TestContext.Current.CancellationToken);
        Assert.Equal([id], list.Select(model => model.Id));
        OpenAIModel one = await models.GetModelAsync(id, TestContext.Current.CancellationToken);
        Assert.Equal((id, user.Name), (one.Id, one.OwnedBy));

        ChatClient chat = client.GetChatClient(id);
        ChatCompletionOptions options = new() { Temperature = 0, MaxOutputTokenCount = 24 };
        ChatCompletion answer = await chat.CompleteChatAsync([new UserChatMessage(Question)], options, TestContext.Current.CancellationToken);
        string text = answer.Content[0].Text;
        Assert.NotEmpty(text);
        Assert.Equal(ChatMessageRole.Assistant, answer.Role);
        Assert.InRange(answer.Usage.OutputTokenCount, 1, 24);

        StringBuilder streamed = new();
        ChatFinishReason? reason = null;
        ChatTokenUsage? usage = null;
        await foreach (StreamingChatCompletionUpdate update in chat.CompleteChatStreamingAsync(
            [new UserChatMessage(Question)], options, TestContext.Current.CancellationToken))
        {
            foreach (ChatMessageContentPart part in update.ContentUpdate) streamed.Append(part.Text);
            reason ??= update.FinishReason;
            usage ??= update.Usage;
        }
        Assert.Equal(text, streamed.ToString());
        Assert.Equal(answer.FinishReason, reason);
        Assert.Equal(answer.Usage.TotalTokenCount, usage?.TotalTokenCount);
    }

    [Fact]
    public async Task DotnetClient_LogprobsAndJsonSchema_Work()
    {
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync();
        ChatClient chat = Client(user).GetChatClient("stories");
        ChatCompletionOptions options = new() { Temperature = 0, MaxOutputTokenCount = 5, IncludeLogProbabilities = true, TopLogProbabilityCount = 2 };
        ChatCompletion answer = await chat.CompleteChatAsync([new UserChatMessage(Question)], options, TestContext.Current.CancellationToken);
        Assert.Equal(5, answer.ContentTokenLogProbabilities.Count);
        Assert.All(answer.ContentTokenLogProbabilities, token =>
        {
            Assert.Equal(token.Token, token.TopLogProbabilities[0].Token);
            Assert.InRange(token.LogProbability, -20, 0);
            Assert.Equal(2, token.TopLogProbabilities.Count);
        });

        ChatCompletionOptions format = new()
        {
            Temperature = 0,
            FrequencyPenalty = 2, // a model of stories, asked for JSON, would go on with blanks
            MaxOutputTokenCount = 400,
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("answer", BinaryData.FromString(Schema), jsonSchemaIsStrict: true),
        };
        ChatCompletion made = await chat.CompleteChatAsync([new UserChatMessage(Question)], format, TestContext.Current.CancellationToken);
        Assert.Equal(ChatFinishReason.Stop, made.FinishReason);
        RequireAnswer(JsonNode.Parse(made.Content[0].Text)!);
    }

    [Fact]
    public async Task DotnetClient_Embeddings_AreVectorsOfLengthOne()
    {
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync();
        EmbeddingClient embeddings = Client(user).GetEmbeddingClient("stories");
        OpenAIEmbeddingCollection answer = await embeddings.GenerateEmbeddingsAsync(["Once upon a time", "the end"], cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(2, answer.Count);
        Assert.Equal(answer.Usage.TotalTokenCount, answer.Usage.InputTokenCount);
        foreach (OpenAIEmbedding one in answer) Assert.Equal(1, one.ToFloats().ToArray().Sum(value => (double)value * value), 4);
        Assert.NotEqual(answer[0].ToFloats().ToArray(), answer[1].ToFloats().ToArray());
    }

    [Fact]
    public async Task DotnetClient_Refusals_AreItsOwnExceptions()
    {
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync();
        ClientResultException missing = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(user).GetChatClient("nothing").CompleteChatAsync([new UserChatMessage("Hi")], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(404, missing.Status);
        ClientResultException tooLong = await Assert.ThrowsAsync<ClientResultException>(() => Client(user).GetChatClient("stories").CompleteChatAsync(
            [new UserChatMessage(string.Concat(Enumerable.Repeat("Once upon a time ", 500)))], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal(400, tooLong.Status);
        Assert.Contains("context_length_exceeded", tooLong.GetRawResponse()!.Content.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task NpmClient_ListModelsCompleteChatAndStream_Work()
    {
        string folder = Path.Combine(TestData.RepositoryRoot, "tests", "npm");
        Assert.SkipUnless(Directory.Exists(Path.Combine(folder, "node_modules", "openai")), "the npm client is not installed: run ./test.sh, or npm ci in tests/npm");
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync();
        ToolRun run = await ToolRun.RunAsync(
            "node",
            [Path.Combine(folder, "openai-client.mjs"), $"{user.Name}/stories", Question, Schema],
            new() { ["OPENAI_BASE_URL"] = new Uri(shared.Host.Url, "v1").ToString(), ["OPENAI_API_KEY"] = user.Token },
            folder);
        Assert.True(run.ExitCode == 0, run.Error);

        JsonNode said = JsonNode.Parse(run.Out)!;
        Assert.Equal([$"{user.Name}/stories"], said["models"]!.AsArray().Select(id => (string?)id));
        Assert.Equal($"{user.Name}/stories", (string?)said["retrieved"]);
        GreedyCase wanted = Stories.GreedyCases().Single(item => item.Prompt == Question);
        Assert.Equal(wanted.NewText, (string?)said["completion"]);
        Assert.Equal(wanted.NewText, (string?)said["completionStreamed"]);
        Assert.NotEmpty((string)said["chat"]!);
        Assert.Equal((string?)said["chat"], (string?)said["chatStreamed"]);
        Assert.Equal(3, said["choices"]!.AsArray().Count);
        Assert.Equal([0, 1, 2], said["choices"]!.AsArray().Select(choice => (int)choice!["index"]!));
        Assert.Equal(3, said["choices"]!.AsArray().Select(choice => (string?)choice!["text"]).Distinct().Count());
        Assert.Equal(said["choices"]!.AsArray().Select(choice => (string?)choice!["text"]), said["choicesStreamed"]!.AsArray().Select(text => (string?)text));
        Assert.Equal(4, said["logprobs"]!.AsArray().Count);
        Assert.All(said["logprobs"]!.AsArray(), token => Assert.Equal(3, token!["top_logprobs"]!.AsArray().Count));
        RequireAnswer(JsonNode.Parse((string)said["json"]!)!);
        double[] vector = [.. said["embedding"]!.AsArray().Select(value => (double)value!)];
        Assert.Equal(1, vector.Sum(value => value * value), 4);
        Assert.Equal(404, (int?)said["missing"]!["status"]);
        Assert.Equal("model_not_found", (string?)said["missing"]!["code"]);
    }

    private static void RequireAnswer(JsonNode answer)
    {
        Assert.Equal(["animal", "happy"], answer.AsObject().Select(property => property.Key).Order());
        Assert.Contains((string?)answer["animal"], new[] { "cat", "dog" });
        Assert.True(answer["happy"]!.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False);
    }

    private OpenAIClient Client(UserClient user) =>
        new(new ApiKeyCredential(user.Token), new OpenAIClientOptions { Endpoint = new Uri(shared.Host.Url, "v1") });
}
