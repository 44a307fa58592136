using System.Text.Json.Serialization;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Management;
using TinyLlm.Host.Models;

namespace TinyLlm.Host.OpenAi;

/// <summary>OpenAI's view of the models that the caller may use.</summary>
internal static class ModelListRoutes
{
    private const string Prefix = "/v1/models/";

    public static void MapModelList(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", ListAsync).RequireScope(TokenScopes.Read).Produces<ModelList>();
        routes.MapGet(Prefix + "{**id}", FindAsync).RequireScope(TokenScopes.Read).Produces<ModelEntry>();
        routes.MapDelete(Prefix + "{**id}", DeleteAsync).RequireScope(TokenScopes.Write).Produces<DeletedModel>();
    }

    private static async Task<IResult> ListAsync(Caller caller, ModelDirectory directory)
    {
        return Results.Json(new ModelList("list", [.. (await directory.ListAsync(caller)).Select(Entry)]));
    }

    private static async Task<IResult> FindAsync(HttpContext http, Caller caller, ModelDirectory directory)
    {
        return Results.Json(Entry((await directory.FindModelAsync(caller, ModelName.Parse(RawPath.After(http, Prefix)))).Version));
    }

    private static async Task<IResult> DeleteAsync(HttpContext http, Caller caller, ModelDirectory directory)
    {
        ModelName name = ModelName.Parse(RawPath.After(http, Prefix));
        string owner = name.Owner ?? caller.RequireUserName();
        ModelsRoutes.RequireOwn(caller, owner, name.Model);
        IUserGrain user = directory.OwnGrain(caller);
        if (name.Version is { } version) await user.DeleteVersion(name.Model, version);
        else await user.DeleteModel(name.Model);
        return Results.Json(new DeletedModel($"{owner}/{name.Model}", "model", true));
    }

    private static ModelEntry Entry(PublishedVersion version) =>
        new($"{version.Owner}/{version.Model}", "model", version.CreatedAt.ToUnixTimeSeconds(), version.Owner, version.Facts.ContextLength);

    private sealed record ModelList([property: JsonPropertyName("object")] string Object, [property: JsonPropertyName("data")] ModelEntry[] Data);

    /// <param name="Id">"owner/model".</param>
    /// <param name="Object">"model".</param>
    /// <param name="Created">When its newest version was published, in Unix seconds.</param>
    /// <param name="OwnedBy">The owner's name.</param>
    /// <param name="MaxModelLength">Prompt and completion together, in tokens; vLLM's field.</param>
    private sealed record ModelEntry(
        [property: JsonPropertyName("id")] string Id,
        [property: JsonPropertyName("object")] string Object,
        [property: JsonPropertyName("created")] long Created,
        [property: JsonPropertyName("owned_by")] string OwnedBy,
        [property: JsonPropertyName("max_model_len")] int MaxModelLength);

    private sealed record DeletedModel(
        [property: JsonPropertyName("id")] string Id,
        [property: JsonPropertyName("object")] string Object,
        [property: JsonPropertyName("deleted")] bool Deleted);
}
