namespace TinyLlm.Storage;

/// <summary>
/// A store refused or failed in a way that the caller must tell apart. The message names values and bounds, never a path of this machine;
/// only <see cref="StoreError.FolderInUse"/>, which an operator reads, names the folder. Travels through grain calls.
/// </summary>
[GenerateSerializer, Alias("tinyllm.StoreException")]
public sealed class StoreException : Exception
{
    public StoreException(StoreError error, string message, Exception? innerException = null) : base(message, innerException) => Error = error;

    [Id(0)]
    public StoreError Error { get; private set; }

    /// <summary>With <see cref="StoreError.ConditionFailed"/>: the ETag that the store holds; null when it has no such object or doesn't say.</summary>
    [Id(1)]
    public string? StoredETag { get; init; }

    /// <summary>With <see cref="StoreError.OffsetMismatch"/>: the object's durable length.</summary>
    [Id(2)]
    public long? DurableLength { get; init; }
}
