namespace TinyLlm.Text.Jinja;

/// <summary>What a <see cref="JinjaToken"/> is.</summary>
internal enum JinjaTokenKind
{
    Text,
    Name,
    Integer,
    Float,
    String,
    Operator,
    BlockStart,
    BlockEnd,
    ExpressionStart,
    ExpressionEnd,
    End,
}

/// <summary>A piece of a template's source; <paramref name="Value"/> of a string is what it stands for.</summary>
internal readonly record struct JinjaToken(JinjaTokenKind Kind, string Value, int Line);
