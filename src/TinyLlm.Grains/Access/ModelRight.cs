namespace TinyLlm.Grains.Access;

/// <summary>What a caller may do with a model version. The numbers are stored and signed: never change one.</summary>
public enum ModelRight
{
    /// <summary>Generate from it.</summary>
    Infer = 1,

    /// <summary>Read its files.</summary>
    Download = 2,
}
