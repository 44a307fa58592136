using TinyLlm.Engine;
using TinyLlm.Storage;
using TinyLlm.Text;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// Weights in the machine's own memory, beside a device that has memory of its own: what was loaded once goes to the device again without a read of the store and without a second
/// verification. It holds copies of models on the device too, so that an eviction there costs no copy back. Its budget is its own; what does not fit drives out the copies least
/// used for their bytes. Knows no device. Thread-safe.
/// </summary>
internal sealed class HostTier(long budgetBytes)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<VersionId, HostCopy> _copies = [];
    private readonly EvictionOrder<VersionId> _order = new();
    private long _bytes;

    public long BudgetBytes => budgetBytes;

    /// <summary>Bytes of all copies, those counted that only a load still reads.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Whether there is a copy of a version now.</summary>
    public bool Holds(VersionId version)
    {
        lock (_gate) return _copies.ContainsKey(version);
    }

    /// <summary>The copy of a version, which stays until <see cref="Release"/>; null: there is none.</summary>
    public HostCopy? TryTake(VersionAddress address)
    {
        lock (_gate)
        {
            if (!_copies.TryGetValue(address.Version, out HostCopy? copy) || copy.Address != address) return null;
            _order.Use(address.Version);
            copy.Holds++;
            return copy;
        }
    }

    /// <summary>Gives back what <see cref="TryTake"/> answered.</summary>
    public void Release(HostCopy copy)
    {
        lock (_gate)
        {
            copy.Holds--;
            FreeIfOver(copy);
        }
    }

    /// <summary>Keeps a checkpoint, which is the tier's from then on; false: it does not fit, or there is one already.</summary>
    public bool TryKeep(VersionAddress address, Checkpoint checkpoint, Tokenizer tokenizer, ChatTemplate template)
    {
        lock (_gate)
        {
            long bytes = checkpoint.HostBytes;
            if (bytes > budgetBytes || _copies.ContainsKey(address.Version)) return false;
            long lacking = bytes - (budgetBytes - _bytes);
            // A copy that a load reads stays, and so do its bytes.
            if (lacking > 0)
            {
                if (_order.Choose(lacking, version => _copies[version].Holds == 0) is not { } chosen) return false;
                foreach (VersionId version in chosen) TakeOut(_copies[version]);
            }
            _copies.Add(address.Version, new HostCopy(address, checkpoint, tokenizer, template));
            _order.Add(address.Version, bytes);
            _bytes += bytes;
            return true;
        }
    }

    /// <summary>Lets go of an owner's copies, of those versions or of all.</summary>
    public void Drop(UserId owner, IReadOnlyCollection<VersionId>? versions)
    {
        lock (_gate)
        {
            foreach (HostCopy copy in Of(owner).Where(copy => versions?.Contains(copy.Address.Version) != false).ToArray()) TakeOut(copy);
        }
    }

    /// <summary>Bytes of an owner's copies.</summary>
    public long Measure(UserId owner)
    {
        lock (_gate) return Of(owner).Sum(copy => copy.Bytes);
    }

    private IEnumerable<HostCopy> Of(UserId owner) => _copies.Values.Where(copy => copy.Address.Owner == owner);

    private void TakeOut(HostCopy copy)
    {
        _copies.Remove(copy.Address.Version);
        _order.Remove(copy.Address.Version);
        copy.IsOut = true;
        FreeIfOver(copy);
    }

    private void FreeIfOver(HostCopy copy)
    {
        if (!copy.IsOut || copy.Holds > 0) return;
        copy.Checkpoint.Dispose();
        _bytes -= copy.Bytes;
    }
}
