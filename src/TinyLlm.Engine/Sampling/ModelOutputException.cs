namespace TinyLlm.Engine;

/// <summary>A model said what nothing can be made of. That is the model's fault, or the request's, and not the device's.</summary>
public sealed class ModelOutputException : Exception
{
    internal ModelOutputException(ModelOutputFault fault, string message)
        : base(message) => Fault = fault;

    /// <summary>Which member of the closed set.</summary>
    public ModelOutputFault Fault { get; }
}
