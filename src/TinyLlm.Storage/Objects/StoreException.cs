namespace TinyLlm.Storage;

/// <summary>
/// A store refused or failed in a way that the caller must tell apart. The message names values and bounds, never a path of this machine;
/// only <see cref="StoreError.FolderInUse"/>, which an operator reads, names the folder.
/// </summary>
public sealed class StoreException(StoreError error, string message, Exception? innerException = null) : Exception(message, innerException)
{
    public StoreError Error { get; } = error;

    /// <summary>With <see cref="StoreError.ConditionFailed"/>: the ETag that the store holds; null when it has no such object or doesn't say.</summary>
    public string? StoredETag { get; init; }

    /// <summary>With <see cref="StoreError.OffsetMismatch"/>: the object's durable length.</summary>
    public long? DurableLength { get; init; }
}
