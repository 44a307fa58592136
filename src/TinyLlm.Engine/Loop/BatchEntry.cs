namespace TinyLlm.Engine;

/// <summary>One sequence's part of a turn: a chunk of its prompt, or, when <paramref name="PromptTokens"/> is 0, the token decoded last.</summary>
internal readonly record struct BatchEntry(Sequence Sequence, int PromptTokens)
{
    /// <summary>The ids that the forward pass appends.</summary>
    public ReadOnlyMemory<int> Ids => PromptTokens == 0
        ? Sequence.LastToken
        : Sequence.Request.PromptIds.AsMemory().Slice(Sequence.Cache!.Length, PromptTokens); // what is chosen runs, and has a cache
}
