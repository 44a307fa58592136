namespace TinyLlm.Engine;

/// <summary>What turns a hidden state into logits.</summary>
public enum OutputMatrix
{
    /// <summary>The embedding's matrix.</summary>
    Embedding,

    /// <summary>One of its own.</summary>
    Own,

    /// <summary>None: the hidden state is the logits.</summary>
    None,
}
