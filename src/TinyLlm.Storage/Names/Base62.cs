using System.Buffers;
using System.Security.Cryptography;

namespace TinyLlm.Storage;

/// <summary>The alphabet of internal ids and access tokens: digits, capitals, small letters, in the order of their code points.</summary>
internal static class Base62
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly SearchValues<char> Digits = SearchValues.Create(Alphabet);

    /// <summary><paramref name="length"/> characters, each drawn uniformly (by rejection) from the system's random source.</summary>
    public static string Random(int length) => RandomNumberGenerator.GetString(Alphabet, length);

    public static bool IsBase62(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Digits);

    /// <summary><paramref name="value"/> in <paramref name="length"/> digits, padded with zeros on the left.</summary>
    public static string Format(uint value, int length) => string.Create(length, value, static (digits, rest) =>
    {
        for (int i = digits.Length - 1; i >= 0; i--)
        {
            digits[i] = Alphabet[(int)(rest % 62)];
            rest /= 62;
        }
    });
}
