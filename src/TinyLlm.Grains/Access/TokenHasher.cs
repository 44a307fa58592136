using TinyLlm.Storage;

namespace TinyLlm.Grains.Access;

/// <summary>Hashes access tokens with the host's token key. Only silos of the core role have the key.</summary>
public sealed class TokenHasher
{
    private readonly byte[] _key;

    /// <param name="key"><see cref="TokenHash.KeyBytes"/> secret bytes.</param>
    public TokenHasher(ReadOnlySpan<byte> key)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(key.Length, TokenHash.KeyBytes);
        _key = key.ToArray();
    }

    internal TokenHash Hash(AccessToken token) => TokenHash.Compute(token, _key);
}
