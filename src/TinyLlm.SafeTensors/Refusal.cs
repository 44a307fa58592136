namespace TinyLlm.SafeTensors;

/// <summary>Makes the exceptions of this project, so that every message about a tensor begins alike.</summary>
internal static class Refusal
{
    public static SafeTensorsException Of(SafeTensorsError error, string message) => new(error, message);

    public static SafeTensorsException OfTensor(string name, SafeTensorsError error, string message) =>
        new(error, $"tensor {Printable.Quote(name)}: {message}", name);
}
