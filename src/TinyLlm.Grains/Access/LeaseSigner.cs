using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Grains.Access;

/// <summary>
/// Authenticates leases with a key that every silo of the cluster holds. Call contexts are the caller's to fill, so they decide nothing;
/// a lease that verifies was made by a user grain.
/// </summary>
public sealed class LeaseSigner
{
    /// <summary>Bound of a lease's life: also the longest time that a silo cut off from the owner could go on serving.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    private readonly byte[] _key;
    private readonly TimeProvider _time;

    /// <param name="key">At least 32 secret bytes, the same on every silo.</param>
    /// <param name="time">The clock that expiry is measured with.</param>
    public LeaseSigner(ReadOnlySpan<byte> key, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(key.Length, 32);
        _key = key.ToArray();
        _time = time;
    }

    /// <summary>The lease, expiring one <see cref="Lifetime"/> from now, with its authentication code.</summary>
    public ModelLease Sign(ModelLease lease)
    {
        ModelLease dated = lease with { ExpiresAt = _time.GetUtcNow() + Lifetime };
        return dated with { Mac = Mac(dated) };
    }

    /// <summary>Throws unless the lease is authentic, unexpired, and for this right.</summary>
    public void Verify(ModelLease lease, ModelRight right)
    {
        bool authentic = CryptographicOperations.FixedTimeEquals(Mac(lease), lease.Mac.Span);
        if (!authentic || lease.Right != right || lease.ExpiresAt <= _time.GetUtcNow()) throw RequestException.NotFound("model");
    }

    private byte[] Mac(ModelLease lease)
    {
        using IncrementalHash hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);
        // Every part is prefixed by its length, so no two different leases give the same bytes.
        foreach (string part in (ReadOnlySpan<string>)["tinyllm-lease-v3", lease.Caller.Value, lease.Owner.Value, lease.Version.Value, lease.ManifestDigest, lease.SignatureDigest, lease.Model])
        {
            Append(Encoding.UTF8.GetBytes(part ?? "")); // a forged lease may lack any of them
        }
        Append(lease.SigningKey.Span);
        Append(lease.Key is null ? [] : lease.Key.Fingerprint());
        Append(lease.OwnerBytes is { } bound ? BitConverter.GetBytes(bound) : []);
        Number((long)lease.Right);
        Number(lease.ExpiresAt.UtcTicks);
        if (lease.KeepAlive is not null || lease.PinnableBytes != 0)
        {
            // Only where there is something to say, so that silos from before these fields verify the others. A pinned model has no time.
            Number(lease.KeepAlive is null ? 0 : lease.KeepAlive.Time is null ? 1 : 2);
            Number(lease.KeepAlive?.Time?.Ticks ?? 0);
            Number(lease.PinnableBytes);
        }
        return hash.GetHashAndReset();

        void Append(ReadOnlySpan<byte> bytes)
        {
            Number(bytes.Length);
            hash.AppendData(bytes);
        }

        void Number(long value)
        {
            Span<byte> number = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
            hash.AppendData(number);
        }
    }
}
