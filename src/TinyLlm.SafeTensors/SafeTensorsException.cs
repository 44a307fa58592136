namespace TinyLlm.SafeTensors;

/// <summary>
/// A file, header, index or tensor was refused. The message says what, the value, the bound and the remedy; it never holds a
/// path, and foreign text in it is escaped and cut (see <see cref="Printable"/>).
/// </summary>
public sealed class SafeTensorsException : Exception
{
    internal SafeTensorsException(SafeTensorsError error, string message, string? tensor = null, Exception? cause = null)
        : this(error, message, tensor is null ? null : Printable.Cut(tensor), fileName: null, cause)
    {
    }

    private SafeTensorsException(SafeTensorsError error, string message, string? tensor, string? fileName, Exception? cause)
        : base(message, cause)
    {
        Error = error;
        Tensor = tensor;
        FileName = fileName;
    }

    /// <summary>The rule that was broken.</summary>
    public SafeTensorsError Error { get; }

    /// <summary>The file's bare name, never a path; null when only bytes were known.</summary>
    public string? FileName { get; }

    /// <summary>The tensor's name, escaped and cut like any foreign text; null when the fault is not in one tensor.</summary>
    public string? Tensor { get; }

    /// <summary>The same refusal with the bare name of the file that it is about, for callers that parsed its bytes.</summary>
    public SafeTensorsException InFile(string fileName) => new(Error, Message, Tensor, Path.GetFileName(fileName), InnerException);
}
