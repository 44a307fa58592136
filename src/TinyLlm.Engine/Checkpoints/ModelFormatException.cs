namespace TinyLlm.Engine;

/// <summary>A folder is no model that the engine can run. The message says what, the value, the bound and the remedy, and holds no path.</summary>
public sealed class ModelFormatException : Exception
{
    internal ModelFormatException(ModelFormatError error, string file, string message, string? tensor = null, Exception? inner = null)
        : base(message, inner)
    {
        Error = error;
        File = file;
        Tensor = tensor;
    }

    /// <summary>The rule that is broken.</summary>
    public ModelFormatError Error { get; }

    /// <summary>The bare name of the file that breaks it.</summary>
    public string File { get; }

    /// <summary>The tensor's name, escaped and cut to a readable length; null when the fault is in no tensor.</summary>
    public string? Tensor { get; }
}
