using TinyLlm.Grains.Errors;

namespace TinyLlm.Host.Errors;

/// <summary>One refusal as HTTP tells it.</summary>
/// <param name="Status">The status code.</param>
/// <param name="Code">The machine-readable code, unless the refusal has a finer one.</param>
/// <param name="OpenAiType">The "type" of OpenAI's error shape.</param>
internal sealed record ErrorRow(int Status, string Code, string OpenAiType);

/// <summary>The one table from the closed set of refusals to HTTP.</summary>
internal static class ErrorTable
{
    private const string Invalid = "invalid_request_error";
    private const string Server = "server_error";

    /// <summary>A fault of ours: the caller learns no more than that.</summary>
    public static ErrorRow Internal { get; } = new(StatusCodes.Status500InternalServerError, "internal_error", Server);

    public static ErrorRow Of(RequestError error) => error switch
    {
        RequestError.Malformed => new(StatusCodes.Status400BadRequest, "invalid_request", Invalid),
        RequestError.ContextLengthExceeded => new(StatusCodes.Status400BadRequest, "context_length_exceeded", Invalid),
        RequestError.Unauthenticated => new(StatusCodes.Status401Unauthorized, "invalid_api_key", Invalid),
        RequestError.ScopeLacking => new(StatusCodes.Status403Forbidden, "scope_lacking", "permission_error"),
        RequestError.NotFound => new(StatusCodes.Status404NotFound, "not_found", Invalid),
        RequestError.MethodNotAllowed => new(StatusCodes.Status405MethodNotAllowed, "method_not_allowed", Invalid),
        RequestError.NameTaken => new(StatusCodes.Status409Conflict, "name_taken", Invalid),
        RequestError.Conflict => new(StatusCodes.Status409Conflict, "conflict", Invalid),
        RequestError.TooLarge => new(StatusCodes.Status413PayloadTooLarge, "too_large", Invalid),
        RequestError.WrongMediaType => new(StatusCodes.Status415UnsupportedMediaType, "wrong_media_type", Invalid),
        RequestError.ModelInvalid => new(StatusCodes.Status422UnprocessableEntity, "model_invalid", Invalid),
        RequestError.FilesDiffer => new(StatusCodes.Status422UnprocessableEntity, "files_differ", Invalid),
        RequestError.IdempotencyKeyReused => new(StatusCodes.Status422UnprocessableEntity, "idempotency_key_reused", Invalid),
        RequestError.QuotaExceeded => new(StatusCodes.Status429TooManyRequests, "quota_exceeded", "insufficient_quota"),
        RequestError.RateLimited => new(StatusCodes.Status429TooManyRequests, "rate_limit_exceeded", "rate_limit_error"),
        RequestError.AccessRevoked => new(StatusCodes.Status403Forbidden, "access_revoked", "permission_error"),
        RequestError.ModelDamaged => new(StatusCodes.Status500InternalServerError, "model_damaged", Server),
        RequestError.NoAccelerator => new(StatusCodes.Status503ServiceUnavailable, "no_accelerator", Server),
        RequestError.Draining => new(StatusCodes.Status503ServiceUnavailable, "draining", Server),
        RequestError.AnswerCut => new(StatusCodes.Status503ServiceUnavailable, "stream_cut", Server),
        RequestError.NoCapacity => new(StatusCodes.Status503ServiceUnavailable, "no_capacity", Server),
        RequestError.AuditUnavailable => new(StatusCodes.Status503ServiceUnavailable, "audit_unavailable", Server),
        RequestError.StorageFull => new(StatusCodes.Status507InsufficientStorage, "storage_full", Server),
        _ => Internal,
    };
}
