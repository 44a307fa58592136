namespace TinyLlm.Engine;

/// <summary>Where a layer normalises, seen from attention and MLP.</summary>
public enum NormPlacement
{
    /// <summary>What goes in.</summary>
    Before,

    /// <summary>The sum of what went in and what came out, as the first transformers (OPT-350m).</summary>
    After,

    /// <summary>What goes in, and what comes out before it is added (Gemma).</summary>
    Around,
}
