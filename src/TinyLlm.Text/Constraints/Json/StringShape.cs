namespace TinyLlm.Text.Constraints;

/// <summary>Strings of a language, of at least and at most so many code points.</summary>
internal sealed record StringShape(CharacterLanguage Language, int MinLength, int? MaxLength)
{
    public StringCursor Begin() => new(Language, MaxLength);
}
