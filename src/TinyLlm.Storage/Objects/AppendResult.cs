namespace TinyLlm.Storage;

/// <summary>An append that went through.</summary>
/// <param name="Length">The object's durable length, in bytes.</param>
/// <param name="ETag">The object's ETag now.</param>
public sealed record AppendResult(long Length, string ETag);
