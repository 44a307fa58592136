using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Management;
using TinyLlm.Host.Models;

namespace TinyLlm.Host.OpenAi;

/// <summary>vLLM's /tokenize and /detokenize. They answer errors in OpenAI's shape, because clients of that wire call them.</summary>
internal static class TokenizationRoutes
{
    private const int MaxBodyBytes = 4 << 20;

    public static void MapTokenization(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/tokenize", TokenizeAsync).RequireScope(TokenScopes.Infer).Accepts<JsonElement>("application/json").Produces<TokenizeResponse>();
        routes.MapPost("/detokenize", DetokenizeAsync).RequireScope(TokenScopes.Infer).Accepts<JsonElement>("application/json").Produces<DetokenizeResponse>();
    }

    private static async Task<IResult> TokenizeAsync(HttpContext http, Caller caller, ModelDirectory directory, SessionRouter router)
    {
        JsonBody.RequireJson(http);
        using JsonDocument body = await JsonBody.ReadDocumentAsync(http, MaxBodyBytes);
        TokenizeFields fields = TokenizeFields.Read(new RequestFields(body.RootElement), out IReadOnlyList<string> ignored);
        GrantedModel granted = await directory.LeaseAsync(caller, ModelName.Parse(fields.Model), ModelRight.Infer);
        TokenizeAnswer answer = await router.CallAsync(granted.Lease, session => session.Tokenize(granted.Lease, fields.Spec, http.RequestAborted), http.RequestAborted);
        IgnoredFields.Show(http, ignored);
        return Results.Json(new TokenizeResponse(answer.Ids.Length, granted.Version.Facts.ContextLength, answer.Ids, answer.Tokens));
    }

    private static async Task<IResult> DetokenizeAsync(HttpContext http, Caller caller, ModelDirectory directory, SessionRouter router)
    {
        JsonBody.RequireJson(http);
        using JsonDocument body = await JsonBody.ReadDocumentAsync(http, MaxBodyBytes);
        RequestFields fields = new(body.RootElement);
        string model = fields.TakeRequiredString("model");
        ImmutableArray<int> tokens = fields.Take("tokens") switch
        {
            { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() == 0 => [],
            { ValueKind: JsonValueKind.Array } list => TokenIdsField.Read(list, "tokens"),
            _ => throw RequestFields.Malformed("tokens", "must be a list of token ids"),
        };
        IgnoredFields.Show(http, fields.Finish(FrozenDictionary<string, object?>.Empty));
        GrantedModel granted = await directory.LeaseAsync(caller, ModelName.Parse(model), ModelRight.Infer);
        string prompt = await router.CallAsync(granted.Lease, session => session.Detokenize(granted.Lease, tokens, http.RequestAborted), http.RequestAborted);
        return Results.Json(new DetokenizeResponse(prompt));
    }

    /// <param name="Count">How many tokens.</param>
    /// <param name="MaxModelLength">The model's context.</param>
    /// <param name="Tokens">Their ids.</param>
    /// <param name="TokenTexts">The vocabulary's own texts, where they were asked for.</param>
    private sealed record TokenizeResponse(
        [property: JsonPropertyName("count")] int Count,
        [property: JsonPropertyName("max_model_len")] int MaxModelLength,
        [property: JsonPropertyName("tokens")] ImmutableArray<int> Tokens,
        [property: JsonPropertyName("token_strs")] ImmutableArray<string>? TokenTexts);

    private sealed record DetokenizeResponse([property: JsonPropertyName("prompt")] string Prompt);
}
