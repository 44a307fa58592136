namespace TinyLlm.Text.Constraints;

/// <summary>
/// Numbers: JSON's grammar, within the limits of <see cref="ConstraintLimits"/>, and within bounds. Integers are written without fraction and exponent,
/// numbers with bounds without an exponent. Bounds are kept digit by digit: a digit is offered only if some number that goes on so is inside them.
/// </summary>
internal abstract class NumberShape
{
    /// <summary>Whether there is any.</summary>
    public abstract bool IsEmpty { get; }

    /// <summary>Whether <paramref name="value"/> belongs to a number wherever it stands.</summary>
    public static bool IsPart(byte value) => value is (>= (byte)'0' and <= (byte)'9') or (byte)'.' or (byte)'e' or (byte)'E' or (byte)'+' or (byte)'-';

    public NumberProgress? Next(NumberProgress progress, byte value)
    {
        NumberProgress? next = value switch
        {
            (byte)'-' when progress.Part == NumberPart.Begin => progress with { Part = NumberPart.Minus, IsNegative = true },
            >= (byte)'0' and <= (byte)'9' => Digit(progress, value - '0'),
            (byte)'.' when progress.Part == NumberPart.Integer => progress with { Part = NumberPart.Dot },
            (byte)'e' or (byte)'E' when progress.Part is NumberPart.Integer or NumberPart.Fraction => progress with { Part = NumberPart.ExponentLetter },
            (byte)'+' or (byte)'-' when progress.Part == NumberPart.ExponentLetter => progress with { Part = NumberPart.ExponentSign },
            _ => null,
        };
        return next is { } alive && IsAlive(alive) ? next : null;
    }

    /// <summary>Whether the number may end here.</summary>
    public bool IsEnd(NumberProgress progress) => progress.Part is NumberPart.Integer or NumberPart.Fraction or NumberPart.Exponent && IsInside(progress);

    /// <summary>Whether some number of the shape goes on so.</summary>
    protected abstract bool IsAlive(NumberProgress progress);

    /// <summary>Whether the whole number that was read belongs to the shape.</summary>
    protected abstract bool IsInside(NumberProgress progress);

    private static NumberProgress? Digit(NumberProgress progress, int digit)
    {
        switch (progress.Part)
        {
            case NumberPart.Begin or NumberPart.Minus:
                return progress with { Part = NumberPart.Integer, Integer = digit, IntegerDigits = 1 };
            case NumberPart.Integer:
                if (progress.Integer == 0 || progress.IntegerDigits == ConstraintLimits.MaxIntegerDigits) return null;
                return progress with { Integer = progress.Integer * 10 + digit, IntegerDigits = progress.IntegerDigits + 1 };
            case NumberPart.Dot or NumberPart.Fraction:
                if (progress.FractionDigits == ConstraintLimits.MaxFractionDigits) return null;
                // Beyond 64 bits it is nowhere needed, and wraps.
                return progress with { Part = NumberPart.Fraction, Fraction = unchecked(progress.Fraction * 10 + digit), FractionDigits = progress.FractionDigits + 1 };
            default:
                int exponent = progress.Exponent * 10 + digit;
                if (exponent > ConstraintLimits.MaxExponent || progress.ExponentDigits == 3) return null;
                return progress with { Part = NumberPart.Exponent, Exponent = exponent, ExponentDigits = progress.ExponentDigits + 1 };
        }
    }
}
