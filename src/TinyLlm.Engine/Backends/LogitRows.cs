namespace TinyLlm.Engine;

/// <summary>Of which ids of a forward pass's input the logits are wanted.</summary>
public enum LogitRows
{
    /// <summary>Of the last, which says what comes next.</summary>
    Last,

    /// <summary>Of every one: what the model made of the prompt itself.</summary>
    All,

    /// <summary>Of none: a chunk of a prompt that goes on. The output matrix is then not multiplied.</summary>
    None,
}
