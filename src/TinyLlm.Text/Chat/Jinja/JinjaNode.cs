namespace TinyLlm.Text.Jinja;

/// <summary>A part of a template that gives a value. Chains are lists, so that a long one does not nest.</summary>
internal abstract record JinjaExpression
{
    public sealed record Literal(JinjaValue Value) : JinjaExpression;

    public sealed record Name(string Id) : JinjaExpression;

    public sealed record ListOf(IReadOnlyList<JinjaExpression> Items) : JinjaExpression;

    public sealed record MapOf(IReadOnlyList<(JinjaExpression Key, JinjaExpression Value)> Items) : JinjaExpression;

    /// <summary>Operands with operators of one precedence between them, from left to right.</summary>
    public sealed record Chain(JinjaExpression First, IReadOnlyList<(string Operator, JinjaExpression Operand)> Rest) : JinjaExpression;

    public sealed record Unary(string Operator, JinjaExpression Operand) : JinjaExpression;

    /// <summary>What follows an operand: members, calls, filters, tests, in their order.</summary>
    public sealed record Postfix(JinjaExpression Operand, IReadOnlyList<JinjaSuffix> Suffixes) : JinjaExpression;

    /// <summary>Values with their conditions, then the value without one, if any.</summary>
    public sealed record Conditional(IReadOnlyList<(JinjaExpression Value, JinjaExpression Condition)> Cases, JinjaExpression? Otherwise) : JinjaExpression;
}

/// <summary>What is applied to the value before it.</summary>
internal abstract record JinjaSuffix
{
    /// <summary>A member by name (<c>.name</c>).</summary>
    public sealed record Member(string Name) : JinjaSuffix;

    public sealed record Item(JinjaExpression Key) : JinjaSuffix;

    public sealed record Slice(JinjaExpression? Start, JinjaExpression? Stop, JinjaExpression? Step) : JinjaSuffix;

    public sealed record Call(JinjaArgumentList Arguments) : JinjaSuffix;

    public sealed record Filter(string Name, JinjaArgumentList Arguments) : JinjaSuffix;

    public sealed record Test(string Name, JinjaArgumentList Arguments, bool Negated) : JinjaSuffix;
}

/// <summary>The arguments of a call as written.</summary>
internal sealed record JinjaArgumentList(IReadOnlyList<JinjaExpression> Positional, IReadOnlyList<(string Name, JinjaExpression Value)> Named)
{
    public static JinjaArgumentList Empty { get; } = new([], []);
}

/// <summary>A part of a template that writes or does something.</summary>
internal abstract record JinjaStatement
{
    public sealed record Text(string Value) : JinjaStatement;

    public sealed record Output(JinjaExpression Value) : JinjaStatement;

    /// <summary>Branches with their conditions; the last one's may be absent.</summary>
    public sealed record If(IReadOnlyList<(JinjaExpression? Condition, IReadOnlyList<JinjaStatement> Body)> Branches) : JinjaStatement;

    public sealed record For(
        IReadOnlyList<string> Targets, JinjaExpression Items, JinjaExpression? Condition, IReadOnlyList<JinjaStatement> Body, IReadOnlyList<JinjaStatement> Else)
        : JinjaStatement;

    /// <summary>Sets names, or a member of a namespace.</summary>
    public sealed record Set(IReadOnlyList<string> Targets, string? Member, JinjaExpression Value) : JinjaStatement;

    /// <summary>Sets a name to what the body writes.</summary>
    public sealed record SetBlock(string Target, IReadOnlyList<JinjaSuffix> Filters, IReadOnlyList<JinjaStatement> Body) : JinjaStatement;

    public sealed record Macro(string Name, IReadOnlyList<JinjaParameter> Parameters, IReadOnlyList<JinjaStatement> Body) : JinjaStatement;

    /// <summary>Calls a macro that can call the body as <c>caller()</c>.</summary>
    public sealed record CallBlock(JinjaExpression Call, IReadOnlyList<JinjaParameter> Parameters, IReadOnlyList<JinjaStatement> Body) : JinjaStatement;

    public sealed record FilterBlock(IReadOnlyList<JinjaSuffix> Filters, IReadOnlyList<JinjaStatement> Body) : JinjaStatement;

    /// <summary>Statements in a row, as a generation block has them.</summary>
    public sealed record Block(IReadOnlyList<JinjaStatement> Body) : JinjaStatement;

    public sealed record Break : JinjaStatement;

    public sealed record Continue : JinjaStatement;
}

/// <summary>A macro's parameter.</summary>
internal sealed record JinjaParameter(string Name, JinjaExpression? Default);
