using System.Text.Json;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Residency;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Models;
using TinyLlm.Host.OpenAi;
using TinyLlm.Host.Streams;

namespace TinyLlm.Host.Management;

/// <summary>Models in memory, as far as their users have a say: load one before the first request, and say how long one stays.</summary>
internal static class KeepAliveRoutes
{
    public static void MapKeepAlive(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/models/{owner}/{model}/load", LoadAsync).RequireScope(TokenScopes.Infer).Accepts<KeepAliveBody>("application/json").Produces<LoadedVersion>();
        routes.MapPut("/api/models/{owner}/{model}/keep-alive", SetAsync).RequireScope(TokenScopes.Write).Accepts<KeepAliveBody>("application/json").Produces<KeepAliveBody>();
    }

    /// <summary>Answers when the model is in memory. Without a body nothing is said about how long it stays.</summary>
    private static async Task<IResult> LoadAsync(string owner, string model, HttpContext http, Caller caller, RunningStreams streams, SessionRouter router)
    {
        KeepAlive? keepAlive = KeepAliveField.Parse((await JsonBody.ReadOptionalAsync<KeepAliveBody>(http))?.KeepAlive);
        http.WithoutTimeoutFromHere();
        await using RunningStream stream = await streams.OpenAsync(http, caller, ModelName.Parse($"{owner}/{model}"), new StreamSize(PromptTokens: 0, MaxTokens: 0));
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stream.Cut);
        try
        {
            ModelLease lease = stream.Granted.Lease;
            bool isLoaded = await router.CallAsync(lease, session => session.Load(lease, keepAlive, ended.Token), ended.Token);
            return Results.Json(new LoadedVersion($"{stream.Granted.Version.Owner}/{stream.Granted.Version.Model}", stream.Granted.Version.Number, isLoaded), JsonBody.Options);
        }
        catch (OperationCanceledException) when (stream.Cut.IsCancellationRequested)
        {
            throw RunningStream.Refusal();
        }
    }

    private static async Task<IResult> SetAsync(string owner, string model, HttpContext http, Caller caller, ModelDirectory directory)
    {
        ModelsRoutes.RequireOwn(caller, owner, model);
        KeepAliveBody request = await JsonBody.ReadAsync<KeepAliveBody>(http);
        await directory.OwnGrain(caller).SetKeepAlive(model, KeepAliveField.Parse(request.KeepAlive));
        return Results.Json(request, JsonBody.Options);
    }

    /// <param name="KeepAlive">Seconds or a duration; below 0: pinned, as far as the owner may; null: nothing is said.</param>
    private sealed record KeepAliveBody(JsonElement? KeepAlive = null);

    /// <summary>A version in memory, and whether this request found it absent.</summary>
    private sealed record LoadedVersion(string Model, int Version, bool Loaded);
}
