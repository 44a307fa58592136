namespace TinyLlm.Host.Tests.Access;

/// <summary>The scope column of the HTTP contract, route by route, and what each needs to be called. A route that is not here fails the tests.</summary>
internal static class RouteContract
{
    /// <summary>Open to everybody.</summary>
    public const string Open = "none";

    /// <summary>Its handler decides: admin, or write for oneself.</summary>
    public const string AdminOrSelf = "admin or self";

    public static IReadOnlyDictionary<string, string> Scopes { get; } = new Dictionary<string, string>
    {
        ["GET /healthz/live"] = Open,
        ["GET /healthz/ready"] = Open,
        ["GET /openapi/v1.json"] = Open,

        ["GET /v1/models"] = "read",
        ["GET /v1/models/{**id}"] = "read",
        ["DELETE /v1/models/{**id}"] = "write",
        ["POST /v1/chat/completions"] = "infer",
        ["POST /v1/completions"] = "infer",
        ["POST /v1/embeddings"] = "infer",
        ["POST /tokenize"] = "infer",
        ["POST /detokenize"] = "infer",

        ["POST /api/users"] = "admin",
        ["GET /api/users"] = "admin",
        ["DELETE /api/users/{id}"] = AdminOrSelf,
        ["GET /api/me"] = "read",
        ["GET /api/signing-key"] = "read",
        ["GET /api/models/{owner}/{model}/versions/{version:int}/signature"] = "read",
        ["POST /api/me/key/rotate"] = "write",
        ["POST /api/admin/host-key/rotate"] = "admin",
        ["GET /api/me/trust"] = "read",
        ["PUT /api/me/trust"] = "write",
        ["POST /api/me/trust/keys"] = "write",
        ["DELETE /api/me/trust/keys/{id}"] = "write",
        ["GET /api/me/usage"] = "read",
        ["GET /api/me/audit"] = "read",
        ["GET /api/me/audit/export"] = "read",
        ["POST /api/tokens"] = "write",
        ["GET /api/tokens"] = "read",
        ["DELETE /api/tokens/{id}"] = "write",
        ["POST /api/tokens/{id}/rotate"] = "write",
        ["POST /api/models/{model}/uploads"] = "write",
        ["PUT /api/models/{model}/uploads/{id}/files/{name}"] = "write",
        ["HEAD /api/models/{model}/uploads/{id}/files/{name}"] = "write",
        ["POST /api/models/{model}/uploads/{id}/commit"] = "write",
        ["DELETE /api/models/{model}/uploads/{id}"] = "write",
        ["GET /api/models"] = "read",
        ["GET /api/models/{owner}/{model}"] = "read",
        ["GET /api/models/{owner}/{model}/versions"] = "read",
        ["DELETE /api/models/{owner}/{model}"] = "write",
        ["DELETE /api/models/{owner}/{model}/versions/{version:int}"] = "write",
        ["GET /api/models/{owner}/{model}/versions/{version:int}/files/{name}"] = "read",
        ["HEAD /api/models/{owner}/{model}/versions/{version:int}/files/{name}"] = "read",
        ["PUT /api/models/{owner}/{model}/current"] = "write",
        ["PUT /api/models/{owner}/{model}/retention"] = "write",
        ["PUT /api/models/{owner}/{model}/keep-alive"] = "write",
        ["POST /api/models/{owner}/{model}/load"] = "infer",
        ["GET /api/models/{owner}/{model}/grants"] = "read",
        ["PUT /api/models/{owner}/{model}/grants/{user}"] = "write",
        ["DELETE /api/models/{owner}/{model}/grants/{user}"] = "write",
        ["GET /api/admin/silos"] = "admin",
        ["GET /api/admin/models/resident"] = "admin",
        ["GET /api/admin/audit"] = "admin",
        ["GET /api/admin/audit/export"] = "admin",
        ["PUT /api/admin/users/{id}/quota"] = "admin",
        ["GET /metrics"] = "admin",
    };

    /// <summary>Bodies of routes that name a model in it.</summary>
    public static IReadOnlyDictionary<string, Func<string, object>> ModelBodies { get; } = new Dictionary<string, Func<string, object>>
    {
        ["POST /v1/chat/completions"] = model => new { model, messages = new[] { new { role = "user", content = "a" } }, max_tokens = 1 },
        ["POST /v1/completions"] = model => new { model, prompt = "a", max_tokens = 1 },
        ["POST /v1/embeddings"] = model => new { model, input = "a" },
        ["POST /tokenize"] = model => new { model, prompt = "a" },
        ["POST /detokenize"] = model => new { model, tokens = new[] { 5 } },
    };
}
