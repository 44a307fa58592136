namespace TinyLlm.Text;

/// <summary>
/// Bounds of constrained output. Schemas come from anyone who may infer, so each is small enough that the dearest schema that passes compiles in well under
/// a second, and far above what schemas in use need.
/// </summary>
public static class ConstraintLimits
{
    /// <summary>Bytes of a schema.</summary>
    public const int MaxSchemaBytes = 64 << 10;

    /// <summary>Nesting of a schema's JSON, and of the documents written by it. .NET's and other parsers refuse more by default.</summary>
    public const int MaxDepth = 64;

    /// <summary>Kinds of values that a schema describes, after references and combinations are resolved.</summary>
    public const int MaxShapes = 2_000;

    /// <summary>Alternatives of one value, after anyOf, oneOf and allOf are multiplied out.</summary>
    public const int MaxAlternatives = 128;

    /// <summary>Properties that one object names.</summary>
    public const int MaxProperties = 1_000;

    /// <summary>Values of one enum.</summary>
    public const int MaxEnumValues = 1_000;

    /// <summary>Items of one prefixItems.</summary>
    public const int MaxPrefixItems = 1_000;

    /// <summary>Characters of a pattern.</summary>
    public const int MaxPatternChars = 1_000;

    /// <summary>States of a pattern's nondeterministic automaton: what counted repetitions multiply.</summary>
    public const int MaxPatternNodes = 10_000;

    /// <summary>States of one string's deterministic automaton: what an exponential pattern runs into.</summary>
    public const int MaxStates = 2_000;

    /// <summary>States of all strings' automata of one schema together.</summary>
    public const int MaxTotalStates = 20_000;

    /// <summary>JSON white space in a row: a line break and the indentation of a deep line fit, endless blank output does not.</summary>
    public const int MaxWhitespace = 64;

    /// <summary>Digits of a number's integer part: fewer than overflow 64 bits.</summary>
    public const int MaxIntegerDigits = 18;

    /// <summary>Digits of a number's fraction.</summary>
    public const int MaxFractionDigits = 32;

    /// <summary>Magnitude of a number's exponent, so that no number overflows f64.</summary>
    public const int MaxExponent = 250;

    /// <summary>All digits of a number with bounds. Different decimals of 15 digits stay different as f64, so bounds mean the same to every reader.</summary>
    public const int MaxBoundedDigits = 15;

    /// <summary>Ways to read what was written so far that are followed at once. Beyond it the later ones are dropped: output stays valid, and some valid output is not offered.</summary>
    public const int MaxReadings = 64;

    /// <summary>Bytes of masks that one model's vocabulary keeps.</summary>
    public const int MaxMaskBytes = 16 << 20;
}
