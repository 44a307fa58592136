namespace TinyLlm.Storage;

/// <summary>Everything that a store can answer besides success: the one closed set.</summary>
[GenerateSerializer, Alias("tinyllm.StoreError")]
public enum StoreError
{
    /// <summary>The object is not what the write's condition asked for.</summary>
    ConditionFailed,

    /// <summary>No object has this name.</summary>
    NotFound,

    /// <summary>The disk, or the quota on it, is full.</summary>
    StorageFull,

    /// <summary>The object would be, or is, longer than the caller allows.</summary>
    TooLarge,

    /// <summary>An append began elsewhere than at the object's end.</summary>
    OffsetMismatch,

    /// <summary>The bytes received are not those that the sender's digest describes.</summary>
    DigestMismatch,

    /// <summary>The name breaks the rules of <see cref="ObjectName"/>, or is that of a folder.</summary>
    BadName,

    /// <summary>The version is published, or is being published: its files don't change any more.</summary>
    Sealed,

    /// <summary>Stored bytes are not what their manifest or format says.</summary>
    Damaged,

    /// <summary>The data folder is in use by another process.</summary>
    FolderInUse,

    /// <summary>The disk or the service failed, and failed again at each of a few repeats: nothing is wrong with the request.</summary>
    Unavailable,
}
