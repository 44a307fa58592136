namespace TinyLlm.Storage;

/// <summary>One stored object of a model version, its manifest included.</summary>
public sealed record StoredFile(UserId Owner, VersionId Version, long Length, DateTimeOffset LastModified);
