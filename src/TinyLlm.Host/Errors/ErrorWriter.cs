using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Host.Errors;

/// <summary>Writes a refusal: in OpenAI's shape on OpenAI's routes, as RFC 9457 problem details on ours. Never exception text of ours.</summary>
internal static class ErrorWriter
{
    // Quotes and brackets stay readable: the body is JSON of that type, never part of a page.
    private static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions JsonWithoutNulls = new(Json) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static Task WriteAsync(HttpContext http, RequestException refusal)
    {
        ErrorRow row = ErrorTable.Of(refusal.Error);
        if (refusal.RetryAfter is { } retryAfter)
        {
            http.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }
        if (row.Status == StatusCodes.Status401Unauthorized) http.Response.Headers.WWWAuthenticate = "Bearer";
        return WriteAsync(http, row, refusal.Detail ?? row.Code, refusal.Message, refusal);
    }

    public static Task WriteInternalAsync(HttpContext http) => WriteAsync(
        http, ErrorTable.Internal, ErrorTable.Internal.Code, "The host failed to answer this request. The trace id finds it in the host's log.", null);

    /// <summary>OpenAI's error object, as it also ends a stream that failed.</summary>
    public static byte[] OpenAiBody(ErrorRow row, string code, string message, string? parameter) => JsonSerializer.SerializeToUtf8Bytes(
        new OpenAiErrorBody(new OpenAiError(message, row.OpenAiType, parameter, code)), Json);

    private static async Task WriteAsync(HttpContext http, ErrorRow row, string code, string message, RequestException? refusal)
    {
        http.Response.StatusCode = row.Status;
        http.Response.Headers["x-request-id"] = TraceId(http); // OpenAI's SDKs show it; it finds the request in the host's log
        byte[] body;
        if (OpenAiRoutes.Contains(http.Request.Path))
        {
            http.Response.ContentType = "application/json";
            body = OpenAiBody(row, code, message, refusal?.Parameter);
        }
        else
        {
            http.Response.ContentType = "application/problem+json";
            ProblemBody problem = new(
                "about:blank", ReasonPhrase(row.Status), row.Status, message, code, TraceId(http), refusal?.Parameter, refusal?.FileName, refusal?.Tensor);
            body = JsonSerializer.SerializeToUtf8Bytes(problem, JsonWithoutNulls);
        }
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }

    /// <summary>Names the request, in answers and in the log.</summary>
    public static string TraceId(HttpContext http) => Activity.Current?.TraceId.ToString() ?? http.TraceIdentifier;

    private static string ReasonPhrase(int status) => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status);

    private sealed record OpenAiErrorBody([property: JsonPropertyName("error")] OpenAiError Error);

    private sealed record OpenAiError(
        [property: JsonPropertyName("message")] string Message,
        [property: JsonPropertyName("type")] string Type,
        [property: JsonPropertyName("param")] string? Parameter,
        [property: JsonPropertyName("code")] string Code);

    private sealed record ProblemBody(
        [property: JsonPropertyName("type")] string Type,
        [property: JsonPropertyName("title")] string Title,
        [property: JsonPropertyName("status")] int Status,
        [property: JsonPropertyName("detail")] string Detail,
        [property: JsonPropertyName("code")] string Code,
        [property: JsonPropertyName("traceId")] string TraceId,
        [property: JsonPropertyName("param")] string? Parameter,
        [property: JsonPropertyName("file")] string? File,
        [property: JsonPropertyName("tensor")] string? Tensor);
}
