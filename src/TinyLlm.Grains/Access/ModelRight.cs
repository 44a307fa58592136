namespace TinyLlm.Grains.Access;

/// <summary>What a caller may do with a model version; a grant gives several. The numbers are stored and signed: never change one.</summary>
[Flags]
public enum ModelRight
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Generate from it.</summary>
    Infer = 1,

    /// <summary>Read its files.</summary>
    Download = 2,

    /// <summary>Train on from it.</summary>
    FineTune = 4,
}
