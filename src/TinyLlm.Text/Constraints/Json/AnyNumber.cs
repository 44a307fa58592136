namespace TinyLlm.Text.Constraints;

/// <summary>All numbers.</summary>
internal sealed class AnyNumber : NumberShape
{
    public override bool IsEmpty => false;

    protected override bool IsAlive(NumberProgress progress) => true;

    protected override bool IsInside(NumberProgress progress) => true;
}
