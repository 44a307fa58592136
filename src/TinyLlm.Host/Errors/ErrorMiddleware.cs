using Orleans.Storage;
using TinyLlm.Grains.Errors;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Telemetry;
using TinyLlm.Storage;

namespace TinyLlm.Host.Errors;

/// <summary>
/// Turns every refusal and fault into an answer. Nothing sent yet: a clean error. Otherwise the connection is aborted, so that a cut answer
/// never looks whole. The caller's faults are logged at Information at most, ours at Error; a client that went away at Debug.
/// </summary>
internal sealed partial class ErrorMiddleware(RequestDelegate next, GenerationMeter meter, ILogger<ErrorMiddleware> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
            await FillEmptyAsync(http);
        }
        catch (SlowReaderException)
        {
            LogNotRead(logger, http.Request.Method, http.GetEndpoint()?.DisplayName);
        }
        catch (Exception exception) when (http.RequestAborted.IsCancellationRequested && exception is OperationCanceledException or IOException)
        {
            LogClientGone(logger, http.Request.Method, http.GetEndpoint()?.DisplayName);
        }
        catch (Exception exception)
        {
            if (ToRefusal(exception) is { } refusal)
            {
                meter.Refused(refusal.Error);
                LogRefused(logger, refusal.Error, http.GetEndpoint()?.DisplayName, ErrorWriter.TraceId(http));
                await AnswerAsync(http, () => ErrorWriter.WriteAsync(http, refusal));
            }
            else
            {
                LogFailed(logger, http.GetEndpoint()?.DisplayName, ErrorWriter.TraceId(http), exception);
                await AnswerAsync(http, () => ErrorWriter.WriteInternalAsync(http));
            }
        }
    }

    private static async Task AnswerAsync(HttpContext http, Func<Task> write)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        http.Response.Clear();
        await write();
    }

    /// <summary>Statuses that routing gave without a body.</summary>
    private static async Task FillEmptyAsync(HttpContext http)
    {
        if (http.Response.HasStarted || http.Response.ContentLength is > 0) return;
        RequestException? refusal = http.Response.StatusCode switch
        {
            StatusCodes.Status400BadRequest => new(RequestError.Malformed, "A parameter of the path or the query is not of its type: /openapi/v1.json describes them."),
            StatusCodes.Status404NotFound => new(RequestError.NotFound, "There is no such route: /openapi/v1.json lists them."),
            StatusCodes.Status405MethodNotAllowed => new(RequestError.MethodNotAllowed, "This route does not take this method: the Allow header lists those that it takes."),
            StatusCodes.Status413PayloadTooLarge => new(RequestError.TooLarge, "The body is larger than this route takes."),
            StatusCodes.Status415UnsupportedMediaType => new(RequestError.WrongMediaType, "This route takes application/json."),
            _ => null,
        };
        if (refusal is not null) await ErrorWriter.WriteAsync(http, refusal);
    }

    private static RequestException? ToRefusal(Exception exception) => exception switch
    {
        RequestException refusal => refusal,
        StoreException { Error: StoreError.StorageFull } => new(RequestError.StorageFull, "The host's storage is full: delete models, or ask its operator.")
        {
            RetryAfter = TimeSpan.FromSeconds(60),
        },
        StoreException { Error: StoreError.Damaged } => new(RequestError.ModelDamaged, "The stored model is not what was published: its owner must upload it again."),
        StoreException { Error: StoreError.Unavailable } => new(RequestError.NoCapacity, "The host's storage does not answer: try again soon.")
        {
            Detail = "storage_unavailable",
            RetryAfter = TimeSpan.FromSeconds(2),
        },
        InconsistentStateException => new(RequestError.Conflict, "Another request changed the same object meanwhile: try again.")
        {
            RetryAfter = TimeSpan.FromSeconds(1),
        },
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => new(RequestError.TooLarge, "The body is larger than this route takes."),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => new(RequestError.Malformed, "The body arrived too slowly."),
        IOException { InnerException: OverflowException } => new(RequestError.Malformed, "The body's chunks are malformed."), // so Kestrel says a size beyond 2^31
        BadHttpRequestException => new(RequestError.Malformed, "The request is malformed."),
        SiloUnavailableException or OrleansMessageRejectionException => new(RequestError.NoCapacity, "A part of the cluster is restarting: try again soon.")
        {
            RetryAfter = TimeSpan.FromSeconds(2),
        },
        _ => null,
    };

    [LoggerMessage(Level = LogLevel.Debug, Message = "The client went away: {Method} {Route}")]
    private static partial void LogClientGone(ILogger logger, string method, string? route);

    [LoggerMessage(Level = LogLevel.Information, Message = "The client does not read, and its connection was closed: {Method} {Route}")]
    private static partial void LogNotRead(ILogger logger, string method, string? route);

    [LoggerMessage(Level = LogLevel.Information, Message = "Refused with {Error}: {Route}, trace {TraceId}")]
    private static partial void LogRefused(ILogger logger, RequestError error, string? route, string traceId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Failed: {Route}, trace {TraceId}")]
    private static partial void LogFailed(ILogger logger, string? route, string traceId, Exception exception);
}
