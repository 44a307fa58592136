using System.Globalization;
using System.Text;

namespace TinyLlm.Text;

/// <summary>A tokenizer file that can't be used. The message names the field, its value and the bound; foreign text in it is escaped and cut.</summary>
public sealed class TokenizerFormatException : Exception
{
    private const int MaxQuotedChars = 64;

    public TokenizerFormatException(TokenizerFormatError error, string message)
        : base(message) => Error = error;

    public TokenizerFormatException(TokenizerFormatError error, string message, Exception innerException)
        : base(message, innerException) => Error = error;

    /// <summary>Which rule was broken.</summary>
    public TokenizerFormatError Error { get; }

    /// <summary>Foreign text, safe to stand in a message or a log: in quotes, cut, only visible ASCII as it is.</summary>
    internal static string Quote(string foreign)
    {
        StringBuilder quoted = new("'");
        foreach (char c in foreign.AsSpan(0, Math.Min(foreign.Length, MaxQuotedChars)))
        {
            if (c is >= ' ' and <= '~' and not '\'') quoted.Append(c);
            else quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
        return quoted.Append(foreign.Length > MaxQuotedChars ? "...'" : "'").ToString();
    }
}
