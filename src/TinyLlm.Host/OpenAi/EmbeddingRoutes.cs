using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Access;
using TinyLlm.Host.Management;
using TinyLlm.Host.Telemetry;

namespace TinyLlm.Host.OpenAi;

/// <summary>OpenAI's embeddings: mean-pooled last hidden states of length 1.</summary>
internal static class EmbeddingRoutes
{
    private const int MaxBodyBytes = 4 << 20;

    public static void MapEmbeddings(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/v1/embeddings", EmbedAsync).RequireScope(TokenScopes.Infer).Accepts<JsonElement>("application/json").Produces<EmbeddingList>();

    private static Task<IResult> EmbedAsync(HttpContext http, Caller caller, EmbeddingStarter starter, GenerationMeter meter) => meter.MeasureAsync("embeddings", async timer =>
    {
        IResult answer = await AnswerAsync(http, caller, starter);
        timer.Succeed();
        return answer;
    });

    private static async Task<IResult> AnswerAsync(HttpContext http, Caller caller, EmbeddingStarter starter)
    {
        JsonBody.RequireJson(http);
        using JsonDocument body = await JsonBody.ReadDocumentAsync(http, MaxBodyBytes);
        EmbeddingFields fields = EmbeddingFields.Read(new RequestFields(body.RootElement), out IReadOnlyList<string> ignored);
        (EmbeddingAnswer answer, string modelId, bool isOwn) = await starter.EmbedAsync(http, caller, fields);
        IgnoredFields.Show(http, ignored, fields.KeepAlive, isOwn);
        EmbeddingEntry[] data = [.. answer.Vectors.Select((vector, index) => new EmbeddingEntry("embedding", index, fields.IsBase64 ? ToBase64(vector) : vector))];
        return Results.Json(new EmbeddingList("list", data, modelId, new EmbeddingUsage(answer.PromptTokens, answer.PromptTokens)));
    }

    /// <summary>F32, little-endian, as OpenAI's clients read it.</summary>
    private static string ToBase64(ImmutableArray<float> vector)
    {
        byte[] bytes = new byte[vector.Length * sizeof(float)];
        for (int i = 0; i < vector.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        return Convert.ToBase64String(bytes);
    }

    private sealed record EmbeddingList(
        [property: JsonPropertyName("object")] string Object,
        [property: JsonPropertyName("data")] EmbeddingEntry[] Data,
        [property: JsonPropertyName("model")] string Model,
        [property: JsonPropertyName("usage")] EmbeddingUsage Usage);

    /// <param name="Object">"embedding".</param>
    /// <param name="Index">The input's place in the request.</param>
    /// <param name="Embedding">A list of numbers, or base64.</param>
    private sealed record EmbeddingEntry(
        [property: JsonPropertyName("object")] string Object,
        [property: JsonPropertyName("index")] int Index,
        [property: JsonPropertyName("embedding")] object Embedding);

    private sealed record EmbeddingUsage(
        [property: JsonPropertyName("prompt_tokens")] int PromptTokens,
        [property: JsonPropertyName("total_tokens")] int TotalTokens);
}
