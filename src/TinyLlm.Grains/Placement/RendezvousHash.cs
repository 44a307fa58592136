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
        // Each hashed once, every pair only mixed, and numbers sorted.
        ulong keyHash = HashOf(key);
        SiloAddress[] ranked = [.. silos];
        ulong[] scores = Array.ConvertAll(ranked, silo => ~Score(keyHash, HashOf(silo))); // the highest first
        Array.Sort(scores, ranked);
        for (int i = 1; i < ranked.Length; i++)
        {
            if (scores[i] == scores[i - 1]) return BreakTies(scores, ranked);
        }
        return ranked;
    }

    /// <summary>What a silo of this hash is worth to a key of that one: the highest is the first.</summary>
    public static ulong Score(ulong keyHash, ulong siloHash) => Mix(keyHash ^ siloHash);

    /// <summary>Silos whose hashes are the same, which is rare: by their addresses.</summary>
    private static SiloAddress[] BreakTies(ulong[] scores, SiloAddress[] ranked) =>
        [.. scores.Zip(ranked).OrderBy(pair => pair.First).ThenBy(pair => pair.Second).Select(pair => pair.Second)];

    /// <summary>A key's hash, the same on every silo.</summary>
    public static ulong HashOf(string key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }

    /// <summary>Orleans' own hash of address, port and generation, which is the same on every silo and which the address object keeps.</summary>
    public static ulong HashOf(SiloAddress silo) => Mix((ulong)(uint)silo.GetConsistentHashCode() << 32 | (uint)silo.Generation);

    /// <summary>The finalizer of SplitMix64 (Steele, Lea, Flood, 2014): every bit of the result depends on every bit of the input.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9e3779b97f4a7c15;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
