namespace TinyLlm.Text.Constraints;

/// <summary>
/// A set of strings, read code point by code point (surrogates are none). A state is always alive: some continuation belongs to the set. States and
/// languages are immutable; equal strings lead to equal states.
/// </summary>
internal abstract class CharacterLanguage
{
    public abstract int Start { get; }

    /// <summary>The state after <paramref name="codePoint"/>, or null when no string goes on so.</summary>
    public abstract int? Next(int state, int codePoint);

    /// <summary>Whether <see cref="Next"/> has an answer for any code point from <paramref name="low"/> to <paramref name="high"/>.</summary>
    public abstract bool HasNext(int state, int low, int high);

    /// <summary>Whether the string may end here.</summary>
    public abstract bool IsEnd(int state);
}
