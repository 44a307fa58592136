using System.Text.Json;

namespace TinyLlm.Text.Constraints;

/// <summary>Joins the keywords of numbers.</summary>
internal static class NumberCompiler
{
    private static readonly AnyNumber Any = new();

    public static NumberShape? Compile(IReadOnlyList<SchemaLeaf> leaves, SchemaTypes types)
    {
        NumberBound? min = null, max = null;
        long multipleOf = 1;
        foreach (SchemaLeaf leaf in leaves)
        {
            (NumberBound? low, NumberBound? high) = Bounds(leaf.Place);
            min = Tighter(min, low, isMin: true);
            max = Tighter(max, high, isMin: false);
            multipleOf = CommonMultiple(leaf.Place, multipleOf);
        }
        if ((types & SchemaTypes.Number) == 0) return null;
        NumberShape shape = (types & SchemaTypes.Fraction) == 0 || multipleOf > 1 ? Integers(min, max, multipleOf)
            : min is null && max is null ? Any
            : new DecimalRange(min, max);
        return shape.IsEmpty ? null : shape;
    }

    /// <summary>Whether a number of an enum is inside what the other keywords say.</summary>
    public static bool Allows(IReadOnlyList<SchemaLeaf> leaves, SchemaTypes types, decimal value)
    {
        if (((value == decimal.Truncate(value) ? SchemaTypes.Integer : SchemaTypes.Fraction) & types) == 0) return false;
        foreach (SchemaLeaf leaf in leaves)
        {
            (NumberBound? low, NumberBound? high) = Bounds(leaf.Place);
            if (low is not null && (value < low.Value || (value == low.Value && low.IsExclusive))) return false;
            if (high is not null && (value > high.Value || (value == high.Value && high.IsExclusive))) return false;
            if (value % CommonMultiple(leaf.Place, 1) != 0 && leaf.Place.Keyword("multipleOf") is not null) return false;
        }
        return true;
    }

    private static IntegerRange Integers(NumberBound? min, NumberBound? max, long multipleOf)
    {
        decimal low = min is null ? -IntegerRange.Largest : Math.Ceiling(min.Value) + (min.IsExclusive && min.Value == Math.Ceiling(min.Value) ? 1 : 0);
        decimal high = max is null ? IntegerRange.Largest : Math.Floor(max.Value) - (max.IsExclusive && max.Value == Math.Floor(max.Value) ? 1 : 0);
        return new IntegerRange(Clip(low), Clip(high), multipleOf);
    }

    // One beyond the largest, so that a bound that no integer reaches leaves none.
    private static long Clip(decimal value) => (long)Math.Clamp(value, -IntegerRange.Largest - 1m, IntegerRange.Largest + 1m);

    private static (NumberBound? Min, NumberBound? Max) Bounds(SchemaPlace place)
    {
        NumberBound? min = Tighter(Bound(place, "minimum", false), Bound(place, "exclusiveMinimum", true), isMin: true);
        NumberBound? max = Tighter(Bound(place, "maximum", false), Bound(place, "exclusiveMaximum", true), isMin: false);
        if (min is not null && max is not null && (min.Value > max.Value || (min.Value == max.Value && (min.IsExclusive || max.IsExclusive))))
        {
            throw place.Fault(
                SchemaError.Unsatisfiable, place.Keyword("minimum") is null ? "exclusiveMinimum" : "minimum",
                FormattableString.Invariant($"no number is between {min.Value} and {max.Value}"));
        }
        return (min, max);
    }

    private static NumberBound? Bound(SchemaPlace place, string keyword, bool isExclusive)
    {
        if (place.Keyword(keyword, JsonValueKind.Number) is not { } value) return null;
        if (!value.TryGetDecimal(out decimal number)) throw place.Fault(SchemaError.Unsupported, keyword, "its magnitude must be below 7.9e28");
        int digits = value.GetRawText().Count(char.IsAsciiDigit);
        if ((isExclusive || number != decimal.Truncate(number)) && digits > ConstraintLimits.MaxBoundedDigits)
        {
            throw place.Fault(
                SchemaError.Unsupported, keyword,
                $"a bound that is exclusive or has a fraction may have {ConstraintLimits.MaxBoundedDigits} digits, and this one has {digits}");
        }
        return new NumberBound(number, isExclusive);
    }

    private static NumberBound? Tighter(NumberBound? a, NumberBound? b, bool isMin)
    {
        if (a is null || b is null) return a ?? b;
        if (a.Value == b.Value) return a.IsExclusive ? a : b;
        return a.Value > b.Value == isMin ? a : b;
    }

    private static long CommonMultiple(SchemaPlace place, long known)
    {
        if (place.Keyword("multipleOf", JsonValueKind.Number) is not { } value) return known;
        if (!value.TryGetDecimal(out decimal number) || number <= 0) throw place.Bad("multipleOf", "must be above 0");
        if (number != decimal.Truncate(number) || number > int.MaxValue)
            throw place.Fault(SchemaError.Unsupported, "multipleOf", $"only whole numbers up to {int.MaxValue} are supported");
        long other = (long)number, common = other;
        for (long a = known, b = other; b != 0; (a, b) = (b, a % b)) common = b;
        return checked(known / common * other) is var multiple and <= IntegerRange.Largest
            ? multiple
            : throw place.Fault(SchemaError.Unsupported, "multipleOf", "the common multiple with others is too large");
    }
}
