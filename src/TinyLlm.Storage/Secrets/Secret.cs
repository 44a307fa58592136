namespace TinyLlm.Storage;

/// <summary>A secret read from, or written to, a file. Prints as its origin alone.</summary>
public sealed record Secret(string Value, SecretOrigin Origin)
{
    public override string ToString() => $"secret ({Origin})";
}
