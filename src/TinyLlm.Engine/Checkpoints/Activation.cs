namespace TinyLlm.Engine;

/// <summary>The MLP's nonlinearity.</summary>
public enum Activation
{
    /// <summary>x / (1 + e^-x).</summary>
    Silu,

    /// <summary>x times the normal distribution's integral.</summary>
    Gelu,

    /// <summary>The same, by the approximation with tanh: gelu_new, gelu_fast and gelu_pytorch_tanh alike.</summary>
    GeluTanh,

    /// <summary>max(x, 0).</summary>
    Relu,
}
