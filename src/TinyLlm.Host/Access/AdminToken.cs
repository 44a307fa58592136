using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Host.Access;

/// <summary>
/// The operator's token: a file that only the operator can read, made on the first start. Kept as its hash; compared in constant time.
/// </summary>
internal sealed class AdminToken
{
    private readonly byte[] _hash;

    /// <param name="text">The token.</param>
    public AdminToken(string text) => _hash = Hash(text);

    /// <summary>A fresh token's text: 256 random bits, and a prefix that secret scanners know.</summary>
    public static string NewText() => $"tlmadmin_{RandomNumberGenerator.GetString("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 43)}";

    public bool Matches(string presented) => CryptographicOperations.FixedTimeEquals(_hash, Hash(presented));

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
