namespace TinyLlm.Text.Jinja;

/// <summary>Evaluates expressions.</summary>
internal sealed class JinjaEvaluator(JinjaContext context)
{
    public JinjaValue Evaluate(JinjaExpression expression, JinjaScope scope)
    {
        context.Budget.Step();
        context.Budget.Enter();
        JinjaValue value = expression switch
        {
            JinjaExpression.Literal literal => literal.Value,
            JinjaExpression.Name name => scope.Get(name.Id),
            JinjaExpression.Postfix postfix => ApplySuffixes(Evaluate(postfix.Operand, scope), postfix.Suffixes, scope),
            JinjaExpression.Chain chain => EvaluateChain(chain, scope),
            JinjaExpression.Unary unary => EvaluateUnary(unary, scope),
            JinjaExpression.Conditional conditional => EvaluateConditional(conditional, scope),
            JinjaExpression.ListOf list => context.NewList([.. list.Items.Select(item => Evaluate(item, scope))]),
            JinjaExpression.MapOf map => EvaluateMap(map, scope),
            _ => throw new InvalidOperationException($"no evaluation for {expression.GetType().Name}"),
        };
        context.Budget.Leave();
        return value;
    }

    public JinjaValue ApplySuffixes(JinjaValue value, IReadOnlyList<JinjaSuffix> suffixes, JinjaScope scope)
    {
        foreach (JinjaSuffix suffix in suffixes)
        {
            context.Budget.Step();
            value = suffix switch
            {
                JinjaSuffix.Member member => JinjaMembers.Member(context, value, member.Name),
                JinjaSuffix.Item item => JinjaMembers.Item(context, value, Evaluate(item.Key, scope)),
                JinjaSuffix.Slice slice => JinjaMembers.Slice(context, value, Bound(slice.Start), Bound(slice.Stop), Bound(slice.Step)),
                JinjaSuffix.Call call => Call(value, EvaluateArguments(call.Arguments, scope)),
                JinjaSuffix.Filter filter => JinjaFilters.Apply(context, filter.Name, value, EvaluateArguments(filter.Arguments, scope)),
                JinjaSuffix.Test test => JinjaValue.Of(JinjaTests.Holds(context, test.Name, value, EvaluateArguments(test.Arguments, scope)) != test.Negated),
                _ => throw new InvalidOperationException($"no evaluation for {suffix.GetType().Name}"),
            };
        }
        return value;

        JinjaValue? Bound(JinjaExpression? bound) => bound is null ? null : Evaluate(bound, scope);
    }

    public JinjaArguments EvaluateArguments(JinjaArgumentList list, JinjaScope scope)
    {
        OrderedDictionary<string, JinjaValue> named = [];
        List<JinjaValue> positional = [.. list.Positional.Select(argument => Evaluate(argument, scope))];
        foreach ((string name, JinjaExpression argument) in list.Named)
        {
            if (!named.TryAdd(name, Evaluate(argument, scope))) throw JinjaContext.Bad($"argument {TokenizerFormatException.Quote(name)} is given twice");
        }
        return new JinjaArguments(positional, named);
    }

    public static JinjaValue Call(JinjaValue function, JinjaArguments arguments) =>
        function is JinjaValue.Function callable ? callable.Body(arguments) : throw JinjaContext.Bad($"{function.Kind} can't be called");

    private JinjaValue EvaluateChain(JinjaExpression.Chain chain, JinjaScope scope)
    {
        JinjaValue left = Evaluate(chain.First, scope);
        foreach ((string symbol, JinjaExpression operand) in chain.Rest)
        {
            if (symbol == "and") left = left.IsTrue ? Evaluate(operand, scope) : left;
            else if (symbol == "or") left = left.IsTrue ? left : Evaluate(operand, scope);
            else left = JinjaOperators.Apply(context, symbol, left, Evaluate(operand, scope));
        }
        return left;
    }

    private JinjaValue EvaluateUnary(JinjaExpression.Unary unary, JinjaScope scope)
    {
        JinjaValue operand = Evaluate(unary.Operand, scope);
        if (unary.Operator == "not") return JinjaValue.Of(!operand.IsTrue);
        double number = JinjaContext.Numeric(operand) ?? throw JinjaContext.Bad($"{operand.Kind} has no sign");
        return new JinjaValue.Number(unary.Operator == "-" ? -number : number, operand is JinjaValue.Number { IsFloat: true });
    }

    private JinjaValue EvaluateConditional(JinjaExpression.Conditional conditional, JinjaScope scope)
    {
        foreach ((JinjaExpression value, JinjaExpression condition) in conditional.Cases)
        {
            if (Evaluate(condition, scope).IsTrue) return Evaluate(value, scope);
        }
        return conditional.Otherwise is { } otherwise ? Evaluate(otherwise, scope) : JinjaValue.Missing;
    }

    private JinjaValue.Map EvaluateMap(JinjaExpression.MapOf map, JinjaScope scope)
    {
        OrderedDictionary<string, JinjaValue> items = [];
        foreach ((JinjaExpression key, JinjaExpression value) in map.Items)
        {
            if (Evaluate(key, scope) is not JinjaValue.Text name) throw JinjaContext.Bad("a key must be a string");
            items[name.Value] = Evaluate(value, scope);
        }
        context.Budget.Items(items.Count);
        return new JinjaValue.Map(items);
    }
}
