using System.Text;

namespace TinyLlm.Text.Unicode;

/// <summary>
/// White space as JavaScript's <c>\s</c> has it: Unicode's, with U+FEFF and without U+0085. Pre-tokenizers whose pattern is built in use it, as in
/// @huggingface/tokenizers; in patterns that a file writes out, <c>\s</c> is Unicode's there and here.
/// </summary>
internal static class ScriptSpace
{
    public static bool Contains(Rune rune) => rune.IsBmp && Contains((char)rune.Value);

    /// <summary>All white space is in the basic plane.</summary>
    public static bool Contains(char c) => c switch
    {
        '\uFEFF' => true,
        '\u0085' => false,
        _ => char.IsWhiteSpace(c),
    };
}
