using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>A SHA-256 of bytes on their way or at rest. Reads and writes the <c>Content-Digest</c> field of RFC 9530 and plain hex.</summary>
public sealed class ContentDigest : IEquatable<ContentDigest>
{
    private const string Algorithm = "sha-256";
    private const int ReadBytes = 128 << 10;

    private readonly byte[] sha256;

    public ContentDigest(ReadOnlySpan<byte> sha256)
    {
        if (sha256.Length != SHA256.HashSizeInBytes)
            throw new ArgumentException($"a SHA-256 has {SHA256.HashSizeInBytes} bytes, not {sha256.Length}", nameof(sha256));
        this.sha256 = sha256.ToArray();
    }

    /// <summary>64 small hex digits.</summary>
    public string Hex => Convert.ToHexStringLower(sha256);

    /// <summary>The digest of a stream from where it stands to its end, read in pieces.</summary>
    public static async Task<ContentDigest> ComputeAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int count; (count = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
                hash.AppendData(buffer, 0, count);
            return new ContentDigest(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// Reads a <c>Content-Digest</c> field: a dictionary of algorithms, from which sha-256 is taken; others are left alone. False when there is no
    /// sha-256, when it stands there twice, or when it isn't the canonical base64 of 32 bytes between colons.
    /// </summary>
    public static bool TryParseField(string? field, [NotNullWhen(true)] out ContentDigest? digest)
    {
        digest = null;
        if (field is null) return false;
        foreach (Range range in field.AsSpan().Split(','))
        {
            ReadOnlySpan<char> member = field.AsSpan(range).Trim([' ', '\t']);
            int equals = member.IndexOf('=');
            if (equals < 0 || !member[..equals].SequenceEqual(Algorithm)) continue;
            if (digest is not null || !TryParseBytes(member[(equals + 1)..], out digest)) return Fail(out digest);
        }
        return digest is not null;
    }

    /// <summary>Reads 64 hex digits.</summary>
    public static bool TryParseHex(string? hex, [NotNullWhen(true)] out ContentDigest? digest)
    {
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        digest = hex is { Length: 2 * SHA256.HashSizeInBytes } && Convert.FromHexString(hex, bytes, out _, out _) == OperationStatus.Done
            ? new ContentDigest(bytes)
            : null;
        return digest is not null;
    }

    /// <summary>The value of a <c>Content-Digest</c> field.</summary>
    public string ToField() => $"{Algorithm}=:{Convert.ToBase64String(sha256)}:";

    public override string ToString() => $"sha256:{Hex}";

    public bool Equals(ContentDigest? other) => other is not null && CryptographicOperations.FixedTimeEquals(sha256, other.sha256);

    public override bool Equals(object? obj) => Equals(obj as ContentDigest);

    public override int GetHashCode() => BitConverter.ToInt32(sha256);

    private static bool TryParseBytes(ReadOnlySpan<char> item, out ContentDigest? digest)
    {
        digest = null;
        Span<byte> bytes = stackalloc byte[SHA256.HashSizeInBytes];
        if (item.Length < 2 || item[0] != ':' || item[^1] != ':') return false;
        if (!Convert.TryFromBase64Chars(item[1..^1], bytes, out int count) || count != bytes.Length) return false;

        // .NET takes white space and stray low bits; only one text per digest is meant.
        if (!item[1..^1].SequenceEqual(Convert.ToBase64String(bytes))) return false;
        digest = new ContentDigest(bytes);
        return true;
    }

    private static bool Fail(out ContentDigest? digest)
    {
        digest = null;
        return false;
    }
}
