using System.Text.Json;
using TinyLlm.Text.Files;

namespace TinyLlm.Text.Patterns;

/// <summary>Reads a <c>pattern</c> field: <c>{"String": ...}</c> or <c>{"Regex": ...}</c>.</summary>
internal static class PatternReader
{
    private static readonly Dictionary<string, PieceMatcher> KnownPatterns = new(StringComparer.Ordinal)
    {
        [GptTwoMatcher.Pattern] = new GptTwoMatcher(isScript: false),
        [ChatGptMatcher.PatternFor(1)] = new ChatGptMatcher(1),
        [ChatGptMatcher.PatternFor(3)] = new ChatGptMatcher(3),
    };

    public static PieceMatcher Read(JsonElement component)
    {
        JsonElement pattern = component.RequiredObject("pattern");
        if (pattern.Field("Regex") is null)
        {
            string literal = pattern.RequiredSetting("String");
            if (literal.Length > 0) return new LiteralMatcher(literal);
            throw new TokenizerFormatException(TokenizerFormatError.BadField, "'pattern' is an empty string");
        }
        string source = pattern.RequiredSetting("Regex");
        return KnownPatterns.TryGetValue(source, out PieceMatcher? known) ? known : new PatternMatcher(source);
    }
}
