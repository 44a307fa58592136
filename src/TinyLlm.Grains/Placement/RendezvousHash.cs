using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Grains.Placement;

/// <summary>
/// Highest random weight hashing (Thaler and Ravishankar, 1998): every node scores every key on its own, so adding or losing a node moves
/// only the keys that the node wins.
/// </summary>
internal static class RendezvousHash
{
    /// <summary>The silos, best first, for <paramref name="key"/>. The order depends on the set alone, not on its order.</summary>
    public static SiloAddress[] Ranked(string key, IReadOnlyCollection<SiloAddress> silos)
    {
        // Each hashed once, and every pair only mixed: a placement among hundreds of silos is not to cost hundreds of digests.
        ulong keyHash = HashOf(key);
        (ulong Score, SiloAddress Silo)[] scored = [.. silos.Select(silo => (Mix(keyHash ^ HashOf(silo)), silo))];
        Array.Sort(scored, static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Silo.CompareTo(b.Silo));
        return [.. scored.Select(static pair => pair.Silo)];
    }

    private static ulong HashOf(string key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }

    /// <summary>Orleans' own hash of address, port and generation, which is the same on every silo and which the address object keeps.</summary>
    private static ulong HashOf(SiloAddress silo) => Mix((ulong)(uint)silo.GetConsistentHashCode() << 32 | (uint)silo.Generation);

    /// <summary>The finalizer of SplitMix64 (Steele, Lea, Flood, 2014): every bit of the result depends on every bit of the input.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9e3779b97f4a7c15;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
