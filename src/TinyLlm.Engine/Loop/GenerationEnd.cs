namespace TinyLlm.Engine;

/// <summary>How a generation ended.</summary>
/// <param name="Reason">Why.</param>
/// <param name="CompletionTokens">Tokens emitted; a stop id is not one of them.</param>
/// <param name="Error">What failed, when <paramref name="Reason"/> is Failed.</param>
public sealed record GenerationEnd(FinishReason Reason, int CompletionTokens, Exception? Error)
{
    /// <summary>Tokens of the prompt that the prefix cache knew.</summary>
    public int CachedTokens { get; init; }
}
