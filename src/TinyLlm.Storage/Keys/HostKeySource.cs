namespace TinyLlm.Storage;

/// <summary>Where the host's keys lie: a folder, or a vault.</summary>
public abstract class HostKeySource
{
    /// <summary>Every key at hand, <see cref="KeyWrap.KeyBytes"/> each; the last one is current. At least one.</summary>
    /// <exception cref="StoreException">Damaged: a key is something else.</exception>
    public abstract IReadOnlyList<byte[]> Read();

    /// <summary>Makes a new key current, where keys are made by the host; elsewhere the operator did so before.</summary>
    public abstract void Add();

    /// <summary>Destroys every key but the current one, where that is the host's to do. Only after nothing is wrapped by them.</summary>
    public abstract void RemoveOld();
}
