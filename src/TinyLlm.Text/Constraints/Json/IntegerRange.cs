namespace TinyLlm.Text.Constraints;

/// <summary>Integers from <paramref name="min"/> to <paramref name="max"/> that are multiples of <paramref name="multipleOf"/>.</summary>
internal sealed class IntegerRange(long min, long max, long multipleOf) : NumberShape
{
    /// <summary>The largest integer that is written at all.</summary>
    public const long Largest = 999_999_999_999_999_999;

    // A reader in f64 takes a longer integer for a neighbour of it, which is a multiple of something else: see MaxBoundedDigits.
    private const long LargestMultiple = 999_999_999_999_999;

    private readonly long _min = Math.Max(min, multipleOf > 1 ? -LargestMultiple : -Largest), _max = Math.Min(max, multipleOf > 1 ? LargestMultiple : Largest);

    public override bool IsEmpty => !(CanReach(false, 0, 0) || CanReach(true, 0, 0));

    protected override bool IsAlive(NumberProgress progress) =>
        progress.Part is NumberPart.Minus or NumberPart.Integer && CanReach(progress.IsNegative, progress.Integer, progress.IntegerDigits);

    protected override bool IsInside(NumberProgress progress) => Holds(progress.IsNegative, progress.Integer, progress.Integer);

    /// <summary>Whether an integer that begins with these digits, or with any when there are none yet, is inside.</summary>
    private bool CanReach(bool isNegative, long begin, int digits)
    {
        if (digits == 0) return Holds(isNegative, 0, Largest);
        long low = begin, high = begin;
        while (!Holds(isNegative, low, high))
        {
            if (begin == 0 || digits++ == ConstraintLimits.MaxIntegerDigits) return false;
            (low, high) = (low * 10, high * 10 + 9);
        }
        return true;
    }

    /// <summary>Whether a magnitude from <paramref name="low"/> to <paramref name="high"/> belongs here.</summary>
    private bool Holds(bool isNegative, long low, long high)
    {
        low = Math.Max(low, isNegative ? -_max : _min);
        high = Math.Min(high, isNegative ? -_min : _max);
        return low <= high && high / multipleOf * multipleOf >= low;
    }
}
