namespace TinyLlm.Grains.Placement;

/// <summary>
/// Silos among which a place is chosen for one version after the other: what that needs of them, their hashes and which of them are the overflow, is worked out
/// once. A choice then takes a pass over numbers and no memory, however many silos there are. Immutable.
/// </summary>
internal sealed class SiloSet
{
    private readonly SiloAddress[] _silos;
    private readonly ulong[] _hashes;
    private readonly bool[] _isOverflow;

    public SiloSet(IReadOnlyCollection<SiloAddress> silos)
    {
        _silos = [.. silos];
        _hashes = Array.ConvertAll(_silos, RendezvousHash.HashOf);
        HashSet<SiloAddress> overflow = ServingRoute.Overflow(_silos);
        _isOverflow = Array.ConvertAll(_silos, overflow.Contains);
    }

    public int Count => _silos.Length;

    /// <summary>All of them, best first.</summary>
    public SiloAddress[] Ranked(string key) => RendezvousHash.Ranked(key, _silos);

    /// <summary>The first of <see cref="Ranked"/>, and whether it belongs to the overflow.</summary>
    public (SiloAddress Silo, bool IsOverflow) First(ulong keyHash) => Best(keyHash, among: null);

    /// <summary>The first of <see cref="Ranked"/> of those that belong to the overflow, or of those that don't. Each has one where there are two silos.</summary>
    public SiloAddress First(ulong keyHash, bool isOverflow) => Best(keyHash, isOverflow).Silo;

    /// <summary>The same without some; all where none would be left.</summary>
    public SiloSet Without(IReadOnlyCollection<SiloAddress> passedOver)
    {
        if (passedOver.Count == 0) return this;
        SiloAddress[] left = Array.FindAll(_silos, silo => !passedOver.Contains(silo));
        return left.Length == 0 || left.Length == _silos.Length ? this : new SiloSet(left);
    }

    private (SiloAddress Silo, bool IsOverflow) Best(ulong keyHash, bool? among)
    {
        int best = -1;
        ulong highest = 0;
        for (int i = 0; i < _hashes.Length; i++)
        {
            if (among is { } wanted && _isOverflow[i] != wanted) continue;
            ulong score = RendezvousHash.Score(keyHash, _hashes[i]);
            // Where hashes are the same, which is rare, addresses decide.
            if (best >= 0 && (score < highest || (score == highest && _silos[i].CompareTo(_silos[best]) > 0))) continue;
            (best, highest) = (i, score);
        }
        return best >= 0 ? (_silos[best], _isOverflow[best]) : throw new InvalidOperationException($"None of {_silos.Length} silos can be chosen.");
    }
}
