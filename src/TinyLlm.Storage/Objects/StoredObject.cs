namespace TinyLlm.Storage;

/// <summary>A small object, whole.</summary>
public sealed record StoredObject(ReadOnlyMemory<byte> Bytes, string ETag);
