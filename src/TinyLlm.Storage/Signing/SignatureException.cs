namespace TinyLlm.Storage;

/// <summary>A model's signature doesn't hold. The message names the file and what to do, and never shows more of a bundle than names.</summary>
public sealed class SignatureException(SignatureError error, string message, string? fileName = null) : Exception(message)
{
    public SignatureError Error { get; } = error;

    /// <summary>The file at fault, as the statement or the folder names it.</summary>
    public string? FileName { get; } = fileName;
}
