namespace TinyLlm.Text.Constraints;

/// <summary>All strings.</summary>
internal sealed class FreeLanguage : CharacterLanguage
{
    public static FreeLanguage Instance { get; } = new();

    public override int Start => 0;

    public override int? Next(int state, int codePoint) => 0;

    public override bool HasNext(int state, int low, int high) => true;

    public override bool IsEnd(int state) => true;
}
