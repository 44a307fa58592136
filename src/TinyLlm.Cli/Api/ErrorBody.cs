using System.Net.Http.Headers;
using System.Text.Json;

namespace TinyLlm.Cli.Api;

/// <summary>Reads a refusal in either of the two shapes: RFC 9457 of our routes, or OpenAI's <c>error</c> object. Trusts neither.</summary>
internal static class ErrorBody
{
    // More than any error of ours; a foreign server's page is cut here.
    private const int MaxBytes = 64 * 1024;

    public static async Task<ApiException> ReadAsync(HttpResponseMessage response, TimeProvider time, CancellationToken cancellationToken)
    {
        byte[] body = new byte[MaxBytes];
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        int length = await stream.ReadAtLeastAsync(body, MaxBytes, throwOnEndOfStream: false, cancellationToken);
        return Parse(body.AsMemory(0, length), (int)response.StatusCode, response.ReasonPhrase, RetryAfterOf(response, time), RequestIdOf(response));
    }

    /// <summary>The fault inside a body or a streamed event; what is missing or of another type stays empty.</summary>
    public static ApiException Parse(ReadOnlyMemory<byte> json, int? status, string? reason, TimeSpan? retryAfter, string? requestId = null)
    {
        string fallback = $"the server answered {(status is null ? "an error" : $"{status} {reason}".TrimEnd())}{Remedy(status)}";
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
            JsonElement root = document.RootElement;
            JsonElement fault = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out JsonElement inner) ? inner : root;
            return new ApiException(Text(fault, "message") ?? Text(fault, "detail") ?? Text(fault, "title") ?? fallback)
            {
                Status = status,
                Code = Text(fault, "code"),
                TraceId = Text(fault, "traceId") ?? requestId,
                File = Text(fault, "file"),
                Tensor = Text(fault, "tensor"),
                RetryAfter = retryAfter,
            };
        }
        catch (JsonException)
        {
            return new ApiException(fallback) { Status = status, TraceId = requestId, RetryAfter = retryAfter };
        }
    }

    private static string Remedy(int? status) => status switch
    {
        401 => ": log in with 'tinyllm login'",
        404 => ": is this the address of a TinyLlm host?",
        _ => "",
    };

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    // OpenAI's shape has no place for a trace id: there it is a header.
    private static string? RequestIdOf(HttpResponseMessage response) =>
        response.Headers.TryGetValues("x-request-id", out IEnumerable<string>? values) ? values.First() : null;

    private static TimeSpan? RetryAfterOf(HttpResponseMessage response, TimeProvider time)
    {
        RetryConditionHeaderValue? header = response.Headers.RetryAfter;
        if (header?.Date is DateTimeOffset date) return date > time.GetUtcNow() ? date - time.GetUtcNow() : TimeSpan.Zero;
        return header?.Delta;
    }
}
