using TinyLlm.Grains.Residency;

namespace TinyLlm.Host.OpenAi;

/// <summary>The response header that names what of a request was ignored.</summary>
internal static class IgnoredFields
{
    private const string Header = "tinyllm-ignored-fields";

    /// <summary>Says <paramref name="names"/>, and keep_alive where it was asked for by somebody else than the model's owner, for whom it is to say.</summary>
    public static void Show(HttpContext http, IReadOnlyList<string> names, KeepAlive? keepAlive, bool isOwn)
    {
        Show(http, keepAlive is null || isOwn ? names : [.. names, KeepAliveField.Name]);
    }

    public static void Show(HttpContext http, IReadOnlyList<string> names)
    {
        if (names.Count > 0) http.Response.Headers[Header] = Plain(names);
    }

    /// <summary>The names as a header may carry them: what the client sent is not echoed unless it is plain.</summary>
    private static string Plain(IReadOnlyList<string> names) => string.Join(
        ", ", names.Where(name => name.Length is > 0 and <= 64 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')).Take(20));
}
