using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Text;

namespace TinyLlm.Storage;

/// <summary>
/// A bearer token: <c>tlm_</c>, the user's id (10 base62), a secret (22 base62, 131 bits) and the CRC-32 of all before it (6 base62).
/// The checksum lets scanners and clients tell a token from noise; it protects nothing. Never log one: <see cref="ToString"/> hides the secret.
/// </summary>
public readonly struct AccessToken : IEquatable<AccessToken>
{
    public const string Prefix = "tlm_";
    public const int SecretLength = 22;
    public const int ChecksumLength = 6;

    /// <summary>Characters of every token.</summary>
    public const int Length = 4 + UserId.Length + SecretLength + ChecksumLength;

    private readonly string? text;

    private AccessToken(string text) => this.text = text;

    /// <summary>Whose token it says it is. Only the stored hash proves it.</summary>
    public UserId User => new(Text.Substring(Prefix.Length, UserId.Length));

    private string Text => text ?? throw new InvalidOperationException("this token was never parsed or made");

    /// <summary>A token with a fresh secret.</summary>
    public static AccessToken New(UserId user)
    {
        string body = Prefix + user.Value + Base62.Random(SecretLength);
        return new AccessToken(body + Checksum(body));
    }

    /// <summary>Accepts exactly the text of a token; never throws.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out AccessToken token)
    {
        bool valid = text is { Length: Length }
            && text.StartsWith(Prefix, StringComparison.Ordinal)
            && Base62.IsBase62(text.AsSpan(Prefix.Length))
            && text.EndsWith(Checksum(text.AsSpan(0, Length - ChecksumLength)), StringComparison.Ordinal);
        token = valid ? new AccessToken(text!) : default;
        return valid;
    }

    /// <summary>The whole token, to show once to its owner or to send.</summary>
    public string Reveal() => Text;

    public override string ToString() => text is null ? Prefix : $"{Prefix}{User}…";

    public bool Equals(AccessToken other) => string.Equals(text, other.text, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is AccessToken other && Equals(other);

    public override int GetHashCode() => text?.GetHashCode(StringComparison.Ordinal) ?? 0;

    public static bool operator ==(AccessToken left, AccessToken right) => left.Equals(right);

    public static bool operator !=(AccessToken left, AccessToken right) => !left.Equals(right);

    private static string Checksum(ReadOnlySpan<char> body)
    {
        Span<byte> ascii = stackalloc byte[Length];
        int count = Encoding.ASCII.GetBytes(body, ascii);
        return Base62.Format(Crc32.HashToUInt32(ascii[..count]), ChecksumLength);
    }
}
