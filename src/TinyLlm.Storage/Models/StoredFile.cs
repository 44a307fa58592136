namespace TinyLlm.Storage;

/// <summary>One stored object of a model version, its manifest included.</summary>
/// <param name="Owner">Whose folder it lies in.</param>
/// <param name="Version">In which version's.</param>
/// <param name="Length">Stored bytes.</param>
/// <param name="LastModified">When it was last written.</param>
/// <param name="IsForUploadOnly">Whether a published version has no use for it.</param>
public sealed record StoredFile(UserId Owner, VersionId Version, long Length, DateTimeOffset LastModified, bool IsForUploadOnly);
