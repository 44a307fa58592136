using System.Text;
using System.Text.RegularExpressions;

namespace TinyLlm.Host.Telemetry;

/// <summary>
/// Writes the scraped text with vLLM's names as vLLM writes them, "vllm:num_requests_waiting". OpenTelemetry allows no colon in a name, so they come as "vllm_...".
/// </summary>
internal static partial class VllmNames
{
    public static async Task WriteAsync(HttpContext http, RequestDelegate next)
    {
        http.Request.Headers.AcceptEncoding = default; // what is compressed can't be read here
        Stream body = http.Response.Body;
        using MemoryStream buffer = new();
        http.Response.Body = buffer;
        try
        {
            await next(http);
        }
        finally
        {
            http.Response.Body = body;
        }
        byte[] text = Encoding.UTF8.GetBytes(Name().Replace(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length), "$1vllm:"));
        if (text.Length == 0) return;
        http.Response.ContentLength = text.Length;
        await body.WriteAsync(text, http.RequestAborted);
    }

    /// <summary>A name begins its line, or follows the keyword of a comment.</summary>
    [GeneratedRegex("^(# (?:HELP|TYPE|UNIT) )?vllm_", RegexOptions.Multiline)]
    private static partial Regex Name();
}
