namespace TinyLlm.Storage;

/// <summary>An object in a listing.</summary>
public sealed record ObjectInfo(string Name, long Length, string ETag, DateTimeOffset LastModified);
