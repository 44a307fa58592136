using System.Text.Json.Nodes;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>What comes out of the HTTP API at temperature 0 is what the C reference computes, id by id.</summary>
public sealed class GreedyTests(SharedHost shared)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Completion_EveryReferenceCase_IsEqualInIdsAndText(bool promptAsIds)
    {
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync();
        List<GreedyCase> cases = Stories.GreedyCases();
        Assert.NotEmpty(cases);
        foreach (GreedyCase wanted in cases)
        {
            JsonNode answer = await user.PostAsync("v1/completions", Request(wanted, promptAsIds));
            JsonNode choice = answer["choices"]![0]!;
            Assert.Equal(wanted.NewIds, Ids(choice));
            Assert.Equal(wanted.NewText, (string?)choice["text"]);
            Assert.Equal("length", (string?)choice["finish_reason"]);
            Assert.Equal(wanted.PromptIds.Length, (int?)answer["usage"]!["prompt_tokens"]);
            Assert.Equal(wanted.NewIds.Length, (int?)answer["usage"]!["completion_tokens"]);
            Assert.Equal(wanted.AllIds.Length, (int?)answer["usage"]!["total_tokens"]);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task StreamedCompletion_EveryReferenceCase_IsEqualInIdsAndText(bool promptAsIds)
    {
        using UserClient user = await shared.NewUserAsync();
        await user.UploadStoriesAsync();
        foreach (GreedyCase wanted in Stories.GreedyCases())
        {
            JsonObject request = Request(wanted, promptAsIds);
            request["stream_options"] = new JsonObject { ["include_usage"] = true };
            List<JsonNode> chunks = await user.StreamAsync("v1/completions", request);

            JsonNode usage = chunks[^1];
            Assert.Empty(usage["choices"]!.AsArray());
            Assert.Equal(wanted.NewIds.Length, (int?)usage["usage"]!["completion_tokens"]);
            List<JsonNode> choices = [.. chunks[..^1].Select(chunk => chunk["choices"]![0]!)];
            Assert.Equal(wanted.NewIds, choices.SelectMany(Ids));
            Assert.Equal(wanted.NewText, string.Concat(choices.Select(choice => (string?)choice["text"])));
            Assert.Equal(["length"], choices.Select(choice => (string?)choice["finish_reason"]).OfType<string>());
            Assert.True(choices.Count > wanted.NewIds.Length / 8, $"{choices.Count} chunks for {wanted.NewIds.Length} ids is not a stream");
        }
    }

    private static JsonObject Request(GreedyCase wanted, bool promptAsIds) => new()
    {
        ["model"] = "stories",
        ["prompt"] = promptAsIds ? new JsonArray([.. wanted.PromptIds.Select(id => JsonValue.Create(id))]) : wanted.Prompt,
        ["temperature"] = 0,
        ["max_tokens"] = wanted.NewIds.Length,
        ["return_token_ids"] = true,
    };

    private static int[] Ids(JsonNode choice) => [.. (choice["token_ids"]?.AsArray() ?? []).Select(id => (int)id!)];
}
