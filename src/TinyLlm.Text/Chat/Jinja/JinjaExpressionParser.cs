using System.Globalization;
using System.Text;

namespace TinyLlm.Text.Jinja;

/// <summary>Reads expressions, by descent through the levels of precedence. Recursion happens in brackets and signs only, where depth is counted.</summary>
internal sealed class JinjaExpressionParser(JinjaTokens tokens)
{
    private static readonly string[][] Levels = [["==", "!=", "<", ">", "<=", ">=", "in", "not in"], ["+", "-", "~"], ["*", "/", "//", "%"], ["**"]];

    /// <summary>An expression, or several with commas between as a list.</summary>
    public JinjaExpression ReadTuple()
    {
        JinjaExpression first = ReadExpression();
        if (!tokens.IsOperator(",")) return first;
        List<JinjaExpression> items = [first];
        while (tokens.TryTakeOperator(","))
        {
            if (tokens.IsOperator(")") || tokens.Current.Kind is JinjaTokenKind.BlockEnd or JinjaTokenKind.ExpressionEnd) break;
            items.Add(ReadExpression());
        }
        return new JinjaExpression.ListOf(items);
    }

    public JinjaExpression ReadExpression()
    {
        tokens.Enter();
        JinjaExpression value = ReadUnconditional();
        List<(JinjaExpression Value, JinjaExpression Condition)> cases = [];
        JinjaExpression? otherwise = null;
        while (tokens.TryTakeName("if"))
        {
            cases.Add((value, ReadUnconditional()));
            otherwise = null;
            if (!tokens.TryTakeName("else")) break;
            value = ReadUnconditional();
            otherwise = value;
        }
        tokens.Leave();
        return cases.Count == 0 ? value : new JinjaExpression.Conditional(cases, otherwise);
    }

    /// <summary>An expression that an <c>if</c> after it does not belong to.</summary>
    public JinjaExpression ReadUnconditional() => ReadLogic("or", () => ReadLogic("and", ReadNot));

    /// <summary>Filters with a bar before each, maybe none.</summary>
    public List<JinjaSuffix> ReadFilters()
    {
        List<JinjaSuffix> filters = [];
        while (tokens.TryTakeOperator("|")) filters.Add(ReadFilter());
        return filters;
    }

    public JinjaSuffix.Filter ReadFilter()
    {
        string name = tokens.TakeName();
        if (!JinjaFilters.IsKnown(name)) throw tokens.Bad($"filter {TokenizerFormatException.Quote(name)} is not supported");
        return new JinjaSuffix.Filter(name, tokens.IsOperator("(") ? ReadArguments() : JinjaArgumentList.Empty);
    }

    private JinjaExpression ReadLogic(string name, Func<JinjaExpression> readOperand)
    {
        JinjaExpression first = readOperand();
        List<(string, JinjaExpression)> rest = [];
        while (tokens.TryTakeName(name)) rest.Add((name, readOperand()));
        return rest.Count == 0 ? first : new JinjaExpression.Chain(first, rest);
    }

    private JinjaExpression ReadNot()
    {
        int count = 0;
        while (tokens.TryTakeName("not")) count++;
        JinjaExpression operand = ReadLevel(0);
        if (count == 0) return operand;
        // Two of them make a boolean of the operand.
        JinjaExpression negated = new JinjaExpression.Unary("not", operand);
        return count % 2 == 1 ? negated : new JinjaExpression.Unary("not", negated);
    }

    private JinjaExpression ReadLevel(int level)
    {
        if (level == Levels.Length) return ReadFiltered();
        JinjaExpression first = ReadLevel(level + 1);
        List<(string, JinjaExpression)> rest = [];
        while (TakeOperator(Levels[level]) is { } symbol) rest.Add((symbol, ReadLevel(level + 1)));
        return rest.Count == 0 ? first : new JinjaExpression.Chain(first, rest);
    }

    private string? TakeOperator(string[] symbols)
    {
        string symbol = tokens.Current.Value;
        bool isNotIn = tokens.IsName("not") && tokens.Next is { Kind: JinjaTokenKind.Name, Value: "in" };
        if (isNotIn) symbol = "not in";
        else if (tokens.Current.Kind != JinjaTokenKind.Operator && !tokens.IsName("in")) return null;
        if (!symbols.Contains(symbol)) return null;
        tokens.Take();
        if (isNotIn) tokens.Take();
        return symbol;
    }

    /// <summary>Members and calls bind tighter than a sign, filters and tests looser.</summary>
    private JinjaExpression ReadFiltered()
    {
        JinjaExpression operand = ReadSigned();
        List<JinjaSuffix> suffixes = [];
        while (true)
        {
            if (tokens.TryTakeOperator("|")) suffixes.Add(ReadFilter());
            else if (tokens.TryTakeName("is")) suffixes.Add(ReadTest());
            else break;
        }
        return suffixes.Count == 0 ? operand : new JinjaExpression.Postfix(operand, suffixes);
    }

    private JinjaExpression ReadSigned()
    {
        if (!tokens.IsOperator("-") && !tokens.IsOperator("+")) return ReadMembers(ReadPrimary());
        string sign = tokens.Take().Value;
        tokens.Enter();
        JinjaExpression operand = ReadSigned();
        tokens.Leave();
        return new JinjaExpression.Unary(sign, operand);
    }

    private JinjaExpression ReadMembers(JinjaExpression operand)
    {
        List<JinjaSuffix> suffixes = [];
        while (true)
        {
            if (tokens.TryTakeOperator(".")) suffixes.Add(ReadMember());
            else if (tokens.TryTakeOperator("[")) suffixes.Add(ReadSubscript());
            else if (tokens.IsOperator("(")) suffixes.Add(new JinjaSuffix.Call(ReadArguments()));
            else break;
        }
        return suffixes.Count == 0 ? operand : new JinjaExpression.Postfix(operand, suffixes);
    }

    private JinjaSuffix ReadMember() => tokens.Current.Kind == JinjaTokenKind.Integer
        ? new JinjaSuffix.Item(new JinjaExpression.Literal(ReadNumber(tokens.Take())))
        : new JinjaSuffix.Member(tokens.TakeName());

    private JinjaSuffix ReadSubscript()
    {
        JinjaExpression? start = tokens.IsOperator(":") ? null : ReadTuple();
        if (tokens.TryTakeOperator("]")) return new JinjaSuffix.Item(start ?? throw tokens.Bad("a key was expected"));
        tokens.ExpectOperator(":");
        JinjaExpression? stop = tokens.IsOperator(":") || tokens.IsOperator("]") ? null : ReadExpression();
        JinjaExpression? step = tokens.TryTakeOperator(":") && !tokens.IsOperator("]") ? ReadExpression() : null;
        tokens.ExpectOperator("]");
        return new JinjaSuffix.Slice(start, stop, step);
    }

    private JinjaSuffix.Test ReadTest()
    {
        bool negated = tokens.TryTakeName("not");
        string name = tokens.Current.Kind == JinjaTokenKind.Operator ? tokens.Take().Value : tokens.TakeName();
        if (!JinjaTests.IsKnown(name)) throw tokens.Bad($"test {TokenizerFormatException.Quote(name)} is not supported");
        if (tokens.IsOperator("(")) return new JinjaSuffix.Test(name, ReadArguments(), negated);
        // One argument may stand without brackets.
        bool hasArgument = tokens.Current.Kind is JinjaTokenKind.String or JinjaTokenKind.Integer or JinjaTokenKind.Float || tokens.IsOperator("[")
            || (tokens.Current.Kind == JinjaTokenKind.Name && tokens.Current.Value is not ("and" or "or" or "not" or "if" or "else" or "is" or "in"));
        return new JinjaSuffix.Test(name, hasArgument ? new JinjaArgumentList([ReadPrimary()], []) : JinjaArgumentList.Empty, negated);
    }

    private JinjaArgumentList ReadArguments()
    {
        List<JinjaExpression> positional = [];
        List<(string, JinjaExpression)> named = [];
        tokens.ExpectOperator("(");
        while (!tokens.TryTakeOperator(")"))
        {
            if (positional.Count + named.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.TryTakeOperator(")")) break;
            }
            if (tokens.Current.Kind == JinjaTokenKind.Name && tokens.Next is { Kind: JinjaTokenKind.Operator, Value: "=" })
            {
                string name = tokens.TakeName();
                tokens.ExpectOperator("=");
                named.Add((name, ReadExpression()));
            }
            else if (named.Count > 0)
            {
                throw tokens.Bad("an argument without a name after one with");
            }
            else
            {
                positional.Add(ReadExpression());
            }
        }
        return new JinjaArgumentList(positional, named);
    }

    private JinjaExpression ReadPrimary()
    {
        JinjaToken token = tokens.Current;
        tokens.Take();
        switch (token.Kind)
        {
            case JinjaTokenKind.Integer or JinjaTokenKind.Float: return new JinjaExpression.Literal(ReadNumber(token));
            case JinjaTokenKind.String:
                StringBuilder text = new(token.Value);
                while (tokens.Current.Kind == JinjaTokenKind.String) text.Append(tokens.Take().Value);
                return new JinjaExpression.Literal(JinjaValue.Of(text.ToString()));
            case JinjaTokenKind.Name:
                return token.Value switch
                {
                    "true" or "True" => new JinjaExpression.Literal(JinjaValue.True),
                    "false" or "False" => new JinjaExpression.Literal(JinjaValue.False),
                    "none" or "None" => new JinjaExpression.Literal(JinjaValue.None),
                    _ => new JinjaExpression.Name(token.Value),
                };
            case JinjaTokenKind.Operator when token.Value == "(":
                if (tokens.TryTakeOperator(")")) return new JinjaExpression.ListOf([]);
                JinjaExpression inner = ReadTuple();
                tokens.ExpectOperator(")");
                return inner;
            case JinjaTokenKind.Operator when token.Value == "[": return new JinjaExpression.ListOf(ReadItems("]", ReadExpression));
            case JinjaTokenKind.Operator when token.Value == "{": return new JinjaExpression.MapOf(ReadItems("}", ReadPair));
            default: throw tokens.Bad("a value was expected");
        }
    }

    private List<T> ReadItems<T>(string close, Func<T> readItem)
    {
        List<T> items = [];
        while (!tokens.TryTakeOperator(close))
        {
            if (items.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.TryTakeOperator(close)) break;
            }
            items.Add(readItem());
        }
        return items;
    }

    private (JinjaExpression Key, JinjaExpression Value) ReadPair()
    {
        JinjaExpression key = ReadExpression();
        tokens.ExpectOperator(":");
        return (key, ReadExpression());
    }

    private JinjaValue.Number ReadNumber(JinjaToken token)
    {
        double value = double.Parse(token.Value, NumberStyles.Float, CultureInfo.InvariantCulture);
        return double.IsFinite(value) ? new JinjaValue.Number(value, token.Kind == JinjaTokenKind.Float) : throw tokens.Bad("a number is too large");
    }
}
