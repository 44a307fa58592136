namespace TinyLlm.Host.Errors;

/// <summary>Which routes speak OpenAI's (or vLLM's) wire, errors included.</summary>
internal static class OpenAiRoutes
{
    public static bool Contains(PathString path) =>
        path.StartsWithSegments("/v1", StringComparison.Ordinal)
        || path.StartsWithSegments("/tokenize", StringComparison.Ordinal)
        || path.StartsWithSegments("/detokenize", StringComparison.Ordinal);
}
