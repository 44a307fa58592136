namespace TinyLlm.Storage;

/// <summary>A file as a statement names it: its path below the model's folder, with '/', and the SHA-256 of its bytes.</summary>
public sealed record SignedFile(string Name, ContentDigest Sha256);
