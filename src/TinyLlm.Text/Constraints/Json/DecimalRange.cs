namespace TinyLlm.Text.Constraints;

/// <summary>Decimals of at most <see cref="ConstraintLimits.MaxBoundedDigits"/> digits between two bounds, each of which may itself be left out.</summary>
internal sealed class DecimalRange(NumberBound? min, NumberBound? max) : NumberShape
{
    private const int Digits = ConstraintLimits.MaxBoundedDigits;

    private static readonly decimal[] PowersOfTen = [.. Enumerable.Range(0, Digits + 1).Select(power => (decimal)Math.Pow(10, power))];

    public override bool IsEmpty => !(Holds(false, 0, PowersOfTen[Digits], 0) || Holds(true, 0, PowersOfTen[Digits], 0) || HasBetween(false) || HasBetween(true));

    protected override bool IsAlive(NumberProgress progress) => progress.Part switch
    {
        NumberPart.Minus => Enumerable.Range(0, 10).Any(digit => IsAlive(progress with { Part = NumberPart.Integer, Integer = digit, IntegerDigits = 1 })),
        NumberPart.Integer => CanReach(progress),
        NumberPart.Dot or NumberPart.Fraction => CanReachFraction(progress),
        _ => false,
    };

    protected override bool IsInside(NumberProgress progress)
    {
        decimal value = progress.Integer + progress.Fraction / PowersOfTen[progress.FractionDigits];
        return IsAbove(value, progress.IsNegative, out _) && IsBelow(value, progress.IsNegative);
    }

    private bool CanReach(NumberProgress progress)
    {
        decimal low = progress.Integer, width = 1;
        for (int digits = progress.IntegerDigits; digits <= Digits; digits++, low *= 10, width *= 10)
        {
            if (Holds(progress.IsNegative, low, low + width, Digits - digits)) return true;
            if (progress.Integer == 0) return false;
        }
        return false;
    }

    private bool CanReachFraction(NumberProgress progress)
    {
        int places = Digits - progress.IntegerDigits;
        if (progress.FractionDigits > places || places == 0) return false;
        decimal low = progress.Integer + progress.Fraction / PowersOfTen[progress.FractionDigits];
        return Holds(progress.IsNegative, low, low + 1 / PowersOfTen[progress.FractionDigits], places);
    }

    /// <summary>Whether a decimal with so many places, not below <paramref name="low"/> and below <paramref name="end"/>, is inside.</summary>
    private bool Holds(bool isNegative, decimal low, decimal end, int places)
    {
        if (!IsAbove(low, isNegative, out decimal least))
        {
            if (least >= end) return false;
            low = Math.Ceiling(least * PowersOfTen[places]) / PowersOfTen[places];
            if (!IsAbove(low, isNegative, out _)) low += 1 / PowersOfTen[places];
        }
        return low < end && IsBelow(low, isNegative);
    }

    /// <summary>Whether a fraction below one is inside, which the test of whole numbers misses.</summary>
    private bool HasBetween(bool isNegative) => Enumerable.Range(0, 10).Any(
        digit => CanReach(new NumberProgress { Part = NumberPart.Integer, IsNegative = isNegative, Integer = digit, IntegerDigits = 1 }));

    /// <summary>Whether a magnitude is not too small; if it is, <paramref name="least"/> says what it has to reach.</summary>
    private bool IsAbove(decimal magnitude, bool isNegative, out decimal least)
    {
        NumberBound? bound = isNegative ? max : min;
        least = bound is null ? 0 : isNegative ? -bound.Value : bound.Value;
        return bound is null || magnitude > least || (magnitude == least && !bound.IsExclusive);
    }

    private bool IsBelow(decimal magnitude, bool isNegative)
    {
        NumberBound? bound = isNegative ? min : max;
        decimal most = bound is null ? decimal.MaxValue : isNegative ? -bound.Value : bound.Value;
        return magnitude < most || (magnitude == most && bound is { IsExclusive: false });
    }
}
