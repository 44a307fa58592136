namespace TinyLlm.Engine;

/// <summary>Why nothing can be made of what a model says. The set is closed.</summary>
public enum ModelOutputFault
{
    /// <summary>Its logits or hidden states hold NaN or infinity: weights that overflow, or are damaged.</summary>
    NotFinite,

    /// <summary>The output is not complete, and no token of the vocabulary goes on in the asked format.</summary>
    NoAllowedToken,
}
