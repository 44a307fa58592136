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
        (ulong Score, SiloAddress Silo)[] scored = [.. silos.Select(silo => (Score(key, silo), silo))];
        Array.Sort(scored, static (a, b) => a.Score != b.Score ? b.Score.CompareTo(a.Score) : a.Silo.CompareTo(b.Silo));
        return [.. scored.Select(static pair => pair.Silo)];
    }

    private static ulong Score(string key, SiloAddress silo)
    {
        // SHA-256 because it mixes well and is the same on every silo; the decision is rare (once per activation), not per token.
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{key}\n{silo.ToParsableString()}"), digest);
        return BinaryPrimitives.ReadUInt64LittleEndian(digest);
    }
}
