using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace TinyLlm.Storage;

/// <summary>What is stored of a token: HMAC-SHA-256 of its whole text, 64 small hex digits, under a key that is kept apart from the state.</summary>
[GenerateSerializer, Immutable, Alias("tinyllm.TokenHash")]
[JsonConverter(typeof(ParsableJsonConverter<TokenHash>))]
public readonly record struct TokenHash([property: Id(0)] string Value) : IParsable<TokenHash>
{
    /// <summary>Bytes of the key that <see cref="Compute(AccessToken, ReadOnlySpan{byte})"/> takes.</summary>
    public const int KeyBytes = 32;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    /// <summary>The hash of any secret text, such as the operator's token, which is not an <see cref="AccessToken"/>.</summary>
    public static TokenHash Compute(ReadOnlySpan<char> secret, ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyBytes) throw new ArgumentException($"the key has {key.Length} bytes, but {KeyBytes} are needed", nameof(key));
        byte[] utf8 = new byte[Encoding.UTF8.GetByteCount(secret)];
        Encoding.UTF8.GetBytes(secret, utf8);
        return new TokenHash(Convert.ToHexStringLower(HMACSHA256.HashData(key, utf8)));
    }

    public static TokenHash Compute(AccessToken token, ReadOnlySpan<byte> key) => Compute(token.Reveal(), key);

    /// <summary>Compares in a time that tells nothing of where two hashes differ.</summary>
    public bool Matches(TokenHash other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Value ?? ""), Encoding.ASCII.GetBytes(other.Value ?? ""));

    public static TokenHash Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out TokenHash hash) ? hash : throw new FormatException("a token's hash is 64 small hex digits");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out TokenHash result)
    {
        bool valid = s is { Length: 64 } && !s.AsSpan().ContainsAnyExcept(HexDigits);
        result = valid ? new TokenHash(s!) : default;
        return valid;
    }

    public override string ToString() => Value;
}
