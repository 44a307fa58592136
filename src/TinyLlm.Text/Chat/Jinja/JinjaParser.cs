namespace TinyLlm.Text.Jinja;

/// <summary>Reads statements; <see cref="JinjaExpressionParser"/> reads what stands in them.</summary>
internal sealed class JinjaParser
{
    private readonly JinjaTokens tokens;
    private readonly JinjaExpressionParser expressions;

    private JinjaParser(JinjaTokens tokens)
    {
        this.tokens = tokens;
        expressions = new JinjaExpressionParser(tokens);
    }

    public static IReadOnlyList<JinjaStatement> Parse(string source)
    {
        JinjaParser parser = new(new JinjaTokens(JinjaLexer.Tokenize(source)));
        List<JinjaStatement> body = parser.ReadBody([]);
        return parser.tokens.Current.Kind == JinjaTokenKind.End ? body : throw parser.tokens.Bad("its end was expected");
    }

    /// <summary>Statements up to a tag that is one of <paramref name="ends"/>, whose name is then the current token, or to the end.</summary>
    private List<JinjaStatement> ReadBody(string[] ends)
    {
        tokens.Enter();
        List<JinjaStatement> body = [];
        while (tokens.Current.Kind != JinjaTokenKind.End)
        {
            JinjaToken token = tokens.Take();
            if (token.Kind == JinjaTokenKind.Text)
            {
                body.Add(new JinjaStatement.Text(token.Value));
            }
            else if (token.Kind == JinjaTokenKind.ExpressionStart)
            {
                body.Add(new JinjaStatement.Output(expressions.ReadTuple()));
                tokens.Expect(JinjaTokenKind.ExpressionEnd);
            }
            else
            {
                if (ends.Contains(tokens.Current.Value)) break;
                body.Add(ReadStatement());
            }
        }
        if (ends.Length > 0 && tokens.Current.Kind == JinjaTokenKind.End) throw tokens.Bad($"'{ends[^1]}' is missing");
        tokens.Leave();
        return body;
    }

    private JinjaStatement ReadStatement()
    {
        string name = tokens.TakeName();
        return name switch
        {
            "if" => ReadIf(),
            "for" => ReadFor(),
            "set" => ReadSet(),
            "macro" => ReadMacro(),
            "call" => ReadCall(),
            "filter" => ReadFilter(),
            "generation" => new JinjaStatement.Block(ReadClosed("endgeneration")),
            "break" => Closed(new JinjaStatement.Break()),
            "continue" => Closed(new JinjaStatement.Continue()),
            _ => throw tokens.Bad($"statement {TokenizerFormatException.Quote(name)} is not supported"),
        };
    }

    private JinjaStatement.If ReadIf()
    {
        List<(JinjaExpression? Condition, IReadOnlyList<JinjaStatement> Body)> branches = [];
        string next = "elif";
        while (next == "elif")
        {
            JinjaExpression condition = expressions.ReadExpression();
            tokens.Expect(JinjaTokenKind.BlockEnd);
            branches.Add((condition, ReadBody(["elif", "else", "endif"])));
            next = tokens.TakeName();
        }
        if (next == "else")
        {
            tokens.Expect(JinjaTokenKind.BlockEnd);
            branches.Add((null, ReadBody(["endif"])));
            tokens.TakeName();
        }
        return Closed(new JinjaStatement.If(branches));
    }

    private JinjaStatement.For ReadFor()
    {
        List<string> targets = ReadTargets();
        tokens.ExpectName("in");
        // A condition after the items is the loop's, not theirs.
        JinjaExpression items = expressions.ReadUnconditional();
        JinjaExpression? condition = tokens.TryTakeName("if") ? expressions.ReadExpression() : null;
        tokens.Expect(JinjaTokenKind.BlockEnd);
        List<JinjaStatement> body = ReadBody(["else", "endfor"]);
        List<JinjaStatement> otherwise = [];
        if (tokens.TakeName() == "else")
        {
            tokens.Expect(JinjaTokenKind.BlockEnd);
            otherwise = ReadBody(["endfor"]);
            tokens.TakeName();
        }
        return Closed(new JinjaStatement.For(targets, items, condition, body, otherwise));
    }

    private JinjaStatement ReadSet()
    {
        List<string> targets = ReadTargets();
        string? member = targets.Count == 1 && tokens.TryTakeOperator(".") ? tokens.TakeName() : null;
        if (tokens.TryTakeOperator("=")) return Closed(new JinjaStatement.Set(targets, member, expressions.ReadTuple()));
        if (targets.Count > 1 || member is not null) throw tokens.Bad("'=' was expected");
        IReadOnlyList<JinjaSuffix> filters = expressions.ReadFilters();
        return new JinjaStatement.SetBlock(targets[0], filters, ReadClosed("endset"));
    }

    private JinjaStatement.Macro ReadMacro()
    {
        string name = tokens.TakeName();
        List<JinjaParameter> parameters = ReadParameters();
        return new JinjaStatement.Macro(name, parameters, ReadClosed("endmacro"));
    }

    private JinjaStatement.CallBlock ReadCall()
    {
        List<JinjaParameter> parameters = tokens.IsOperator("(") ? ReadParameters() : [];
        JinjaExpression call = expressions.ReadExpression();
        return new JinjaStatement.CallBlock(call, parameters, ReadClosed("endcall"));
    }

    private JinjaStatement.FilterBlock ReadFilter()
    {
        List<JinjaSuffix> filters = [expressions.ReadFilter(), .. expressions.ReadFilters()];
        return new JinjaStatement.FilterBlock(filters, ReadClosed("endfilter"));
    }

    /// <summary>The end of a tag, its body, and the tag that closes it.</summary>
    private List<JinjaStatement> ReadClosed(string end)
    {
        tokens.Expect(JinjaTokenKind.BlockEnd);
        List<JinjaStatement> body = ReadBody([end]);
        tokens.TakeName();
        tokens.Expect(JinjaTokenKind.BlockEnd);
        return body;
    }

    private T Closed<T>(T statement)
    {
        tokens.Expect(JinjaTokenKind.BlockEnd);
        return statement;
    }

    private List<string> ReadTargets()
    {
        bool bracketed = tokens.TryTakeOperator("(");
        List<string> targets = [tokens.TakeName()];
        while (tokens.TryTakeOperator(",")) targets.Add(tokens.TakeName());
        if (bracketed) tokens.ExpectOperator(")");
        return targets;
    }

    private List<JinjaParameter> ReadParameters()
    {
        List<JinjaParameter> parameters = [];
        tokens.ExpectOperator("(");
        while (!tokens.TryTakeOperator(")"))
        {
            if (parameters.Count > 0)
            {
                tokens.ExpectOperator(",");
                if (tokens.TryTakeOperator(")")) break;
            }
            string name = tokens.TakeName();
            parameters.Add(new JinjaParameter(name, tokens.TryTakeOperator("=") ? expressions.ReadExpression() : null));
        }
        return parameters;
    }
}
