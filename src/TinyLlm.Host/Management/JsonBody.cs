using System.Text.Json;
using System.Text.Json.Serialization;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Host.Management;

/// <summary>Reads and writes the bodies of our own routes: strict in, snake_case both ways.</summary>
internal static class JsonBody
{
    /// <summary>The bodies of our own routes are a name and a few words.</summary>
    public const int MaxBytes = 64 * 1024;

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        PropertyNameCaseInsensitive = false,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.Strict,
        MaxDepth = 16,
    };

    /// <summary>The body as <typeparamref name="T"/>; an unknown, missing, doubled or wrongly typed field is refused.</summary>
    public static async Task<T> ReadAsync<T>(HttpContext http, int maxBytes = MaxBytes)
        where T : class
    {
        RequireJson(http);
        return Read<T>(await ReadBytesAsync(http, maxBytes));
    }

    /// <summary>
    /// The same where a body may be left out; null: it was. Only a body without a byte is none, whether its length was told or not: what a client
    /// says in chunks must not be passed over.
    /// </summary>
    public static async Task<T?> ReadOptionalAsync<T>(HttpContext http, int maxBytes = MaxBytes)
        where T : class
    {
        ReadOnlyMemory<byte> body = await ReadBytesAsync(http, maxBytes);
        if (body.IsEmpty) return null;
        RequireJson(http);
        return Read<T>(body);
    }

    /// <summary>The body as a document that the caller disposes; bounded in bytes and depth, without doubled names.</summary>
    public static async Task<JsonDocument> ReadDocumentAsync(HttpContext http, int maxBytes) => Parse(await ReadBytesAsync(http, maxBytes));

    /// <summary>Only JSON, and only in the clear: a compressed body could be a bomb.</summary>
    public static void RequireJson(HttpContext http)
    {
        if (!http.Request.HasJsonContentType() || http.Request.Headers.ContentEncoding.Count > 0)
        {
            throw new RequestException(RequestError.WrongMediaType, "This route takes application/json, without a content coding.");
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(HttpContext http, int maxBytes)
    {
        if (http.Request.ContentLength > maxBytes) throw TooLarge(maxBytes);
        using MemoryStream body = new();
        byte[] block = new byte[16 * 1024];
        while (await http.Request.Body.ReadAsync(block, http.RequestAborted) is var read and > 0)
        {
            if (body.Length + read > maxBytes) throw TooLarge(maxBytes);
            body.Write(block, 0, read);
        }
        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static T Read<T>(ReadOnlyMemory<byte> body)
        where T : class
    {
        using JsonDocument document = Parse(body);
        try
        {
            return document.RootElement.Deserialize<T>(Options) ?? throw Malformed("null");
        }
        catch (JsonException exception)
        {
            throw Malformed(exception.Path);
        }
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32, AllowDuplicateProperties = false });
        }
        catch (JsonException exception)
        {
            throw new RequestException(
                RequestError.Malformed, $"The body is not JSON as RFC 8259 has it, at line {(exception.LineNumber ?? 0) + 1}, or a name occurs twice: mend it.");
        }
    }

    private static RequestException Malformed(string? path) => new(
        RequestError.Malformed, $"The body's field at '{path}' is unknown, missing or of the wrong type: /openapi/v1.json describes it.")
    {
        Parameter = path is { Length: > 2 } ? path[2..] : null,
    };

    private static RequestException TooLarge(int maxBytes) => new(RequestError.TooLarge, $"The body is larger than {maxBytes} bytes, this route's bound.");
}
