using Microsoft.AspNetCore.Http.Features;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Host.Models;

/// <summary>
/// The rest of a path behind a route's prefix, decoded exactly once from what was sent. The server decodes everything but "%2F", so a catch-all
/// value can't be told from one that was encoded twice.
/// </summary>
internal static class RawPath
{
    public static string After(HttpContext http, string prefix)
    {
        string target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string path = query < 0 ? target : target[..query];
        int start = path.IndexOf(prefix, StringComparison.Ordinal);
        if (start < 0) throw RequestException.NotFound("model");
        return Uri.UnescapeDataString(path[(start + prefix.Length)..]);
    }
}
