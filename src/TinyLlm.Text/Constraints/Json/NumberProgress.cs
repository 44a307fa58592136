namespace TinyLlm.Text.Constraints;

/// <summary>Where in a number a reading is.</summary>
internal enum NumberPart : byte
{
    Begin,
    Minus,
    Integer,
    Dot,
    Fraction,
    ExponentLetter,
    ExponentSign,
    Exponent,
}

/// <summary>What was read of a number.</summary>
/// <param name="Part">Where it is.</param>
/// <param name="IsNegative">Whether it began with a minus.</param>
/// <param name="Integer">The integer part's value.</param>
/// <param name="IntegerDigits">The integer part's digits.</param>
/// <param name="Fraction">The fraction's digits as a number; kept where bounds need it.</param>
/// <param name="FractionDigits">The fraction's digits.</param>
/// <param name="Exponent">The exponent's magnitude.</param>
/// <param name="ExponentDigits">The exponent's digits.</param>
internal readonly record struct NumberProgress(
    NumberPart Part, bool IsNegative, long Integer, int IntegerDigits, long Fraction, int FractionDigits, int Exponent, int ExponentDigits);
