using System.Text.Json;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Management;
using TinyLlm.Host.Telemetry;

namespace TinyLlm.Host.OpenAi;

/// <summary>The two routes that generate.</summary>
internal static class GenerationRoutes
{
    /// <summary>A conversation that fills the longest context of the models served here is under a megabyte.</summary>
    private const int MaxBodyBytes = 4 << 20;

    public static void MapGeneration(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/chat/completions", ChatAsync).RequireScope(TokenScopes.Infer).Accepts<JsonElement>("application/json").Produces<JsonElement>();
        routes.MapPost("/v1/completions", CompleteAsync).RequireScope(TokenScopes.Infer).Accepts<JsonElement>("application/json").Produces<JsonElement>();
    }

    private static Task ChatAsync(HttpContext http, Caller caller, GenerationStarter starter, AnswerWriter writer, GenerationMeter meter) =>
        meter.MeasureAsync("chat", timer => AnswerChatAsync(http, caller, starter, writer, timer));

    private static async Task AnswerChatAsync(HttpContext http, Caller caller, GenerationStarter starter, AnswerWriter writer, GenerationTimer timer)
    {
        JsonBody.RequireJson(http);
        using JsonDocument body = await JsonBody.ReadDocumentAsync(http, MaxBodyBytes);
        http.WithoutTimeoutFromHere();
        RequestFields fields = new(body.RootElement);
        var messages = ChatFields.ReadMessages(fields);
        GenerationFields common = GenerationFields.Read(fields, AnswerKind.Chat, out IReadOnlyList<string> ignored);
        SessionRequest request = common.Request with { Messages = messages };
        StartedGeneration generation = await starter.StartAsync(http, caller, common.Model, request, timer);
        await writer.WriteAsync(http, AnswerKind.Chat, common, ignored, generation);
    }

    private static Task CompleteAsync(HttpContext http, Caller caller, GenerationStarter starter, AnswerWriter writer, GenerationMeter meter) =>
        meter.MeasureAsync("text_completion", timer => AnswerTextAsync(http, caller, starter, writer, timer));

    private static async Task AnswerTextAsync(HttpContext http, Caller caller, GenerationStarter starter, AnswerWriter writer, GenerationTimer timer)
    {
        JsonBody.RequireJson(http);
        using JsonDocument body = await JsonBody.ReadDocumentAsync(http, MaxBodyBytes);
        http.WithoutTimeoutFromHere();
        RequestFields fields = new(body.RootElement);
        SessionRequest prompt = PromptField.Read(fields, new SessionRequest());
        GenerationFields common = GenerationFields.Read(fields, AnswerKind.Text, out IReadOnlyList<string> ignored);
        SessionRequest request = common.Request with { Prompt = prompt.Prompt, PromptIds = prompt.PromptIds };
        StartedGeneration generation = await starter.StartAsync(http, caller, common.Model, request, timer);
        await writer.WriteAsync(http, AnswerKind.Text, common, ignored, generation);
    }
}
