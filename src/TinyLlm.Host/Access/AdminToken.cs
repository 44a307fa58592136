using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Host.Access;

/// <summary>
/// The operator's token: a file that only the operator can read, made on the first start, or a secret of a vault. Kept as its hash; compared in constant time.
/// </summary>
internal sealed class AdminToken
{
    private volatile byte[] _hash;

    /// <param name="text">The token.</param>
    public AdminToken(string text) => _hash = Hash(text);

    /// <summary>A fresh token's text: 256 random bits, and a prefix that secret scanners know.</summary>
    public static string NewText() => $"tlmadmin_{RandomNumberGenerator.GetString("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 43)}";

    public bool Matches(string presented) => CryptographicOperations.FixedTimeEquals(_hash, Hash(presented));

    /// <summary>From now on another token is the operator's, and this one is nobody's.</summary>
    /// <returns>Whether it is another one.</returns>
    public bool Replace(string text)
    {
        byte[] hash = Hash(text);
        if (CryptographicOperations.FixedTimeEquals(_hash, hash)) return false;
        _hash = hash;
        return true;
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
