namespace TinyLlm.Engine;

/// <summary>One sequence's part of a forward pass.</summary>
/// <param name="Cache">Where the ids before these are, and where these go.</param>
/// <param name="Ids">At least one id: a chunk of the prompt, or the token decoded last.</param>
/// <param name="Logits">Of which of these ids the logits are wanted.</param>
public readonly record struct DecoderInput(IKeyValueCache Cache, ReadOnlyMemory<int> Ids, LogitRows Logits = LogitRows.Last)
{
    /// <summary>How many rows of logits it gives.</summary>
    public int LogitCount => Logits switch
    {
        LogitRows.None => 0,
        LogitRows.Last => 1,
        _ => Ids.Length,
    };
}
