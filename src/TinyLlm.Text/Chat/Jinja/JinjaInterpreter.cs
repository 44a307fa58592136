using System.Text;

namespace TinyLlm.Text.Jinja;

/// <summary>Runs a template's statements. Knows plain data only: nothing of the host is reachable, and every step is paid for.</summary>
internal sealed class JinjaInterpreter
{
    private readonly JinjaContext context;
    private readonly JinjaEvaluator evaluator;

    private JinjaInterpreter(JinjaContext context)
    {
        this.context = context;
        evaluator = new JinjaEvaluator(context);
    }

    private enum Flow
    {
        Next,
        Break,
        Continue,
    }

    /// <summary>What the template writes for these variables.</summary>
    public static string Run(IReadOnlyList<JinjaStatement> template, IEnumerable<KeyValuePair<string, JinjaValue>> variables, TimeProvider time)
    {
        JinjaContext context = new(new JinjaBudget(time), time);
        JinjaScope globals = new(null);
        JinjaGlobals.AddTo(globals, context);
        foreach ((string name, JinjaValue value) in variables) globals.Set(name, value);
        StringBuilder output = new();
        new JinjaInterpreter(context).Run(template, new JinjaScope(globals), output);
        string text = output.ToString();
        int bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes <= JinjaLimits.MaxOutputBytes) return text;
        throw new ChatTemplateException(ChatTemplateError.OutputTooLarge,
            $"the prompt has {bytes} bytes: at most {JinjaLimits.MaxOutputBytes} are allowed");
    }

    private Flow Run(IReadOnlyList<JinjaStatement> statements, JinjaScope scope, StringBuilder output)
    {
        context.Budget.Enter();
        Flow flow = Flow.Next;
        foreach (JinjaStatement statement in statements)
        {
            context.Budget.Step();
            flow = Run(statement, scope, output);
            if (flow != Flow.Next) break;
        }
        context.Budget.Leave();
        return flow;
    }

    private Flow Run(JinjaStatement statement, JinjaScope scope, StringBuilder output)
    {
        switch (statement)
        {
            case JinjaStatement.Text text: Write(text.Value, output); break;
            case JinjaStatement.Output expression: Write(context.Text.Of(evaluator.Evaluate(expression.Value, scope)), output); break;
            case JinjaStatement.If choice: return RunIf(choice, scope, output);
            case JinjaStatement.For loop: RunFor(loop, scope, output); break;
            case JinjaStatement.Set set: RunSet(set, scope); break;
            case JinjaStatement.SetBlock set:
                scope.Set(set.Target, evaluator.ApplySuffixes(Capture(set.Body, new JinjaScope(scope)), set.Filters, scope));
                break;
            case JinjaStatement.Macro macro: scope.Set(macro.Name, MakeMacro(macro.Name, macro.Parameters, macro.Body, scope, caller: null)); break;
            case JinjaStatement.CallBlock call: RunCall(call, scope, output); break;
            case JinjaStatement.FilterBlock filter:
                Write(context.Text.Of(evaluator.ApplySuffixes(Capture(filter.Body, new JinjaScope(scope)), filter.Filters, scope)), output);
                break;
            case JinjaStatement.Block block: return Run(block.Body, scope, output);
            case JinjaStatement.Break: return Flow.Break;
            case JinjaStatement.Continue: return Flow.Continue;
        }
        return Flow.Next;
    }

    private void Write(string text, StringBuilder output)
    {
        context.Budget.Text(text.Length);
        if (output.Length + text.Length > JinjaLimits.MaxOutputBytes)
        {
            throw new ChatTemplateException(ChatTemplateError.OutputTooLarge,
                $"the chat template writes more than {JinjaLimits.MaxOutputBytes} bytes, which is the most allowed");
        }
        output.Append(text);
    }

    private Flow RunIf(JinjaStatement.If choice, JinjaScope scope, StringBuilder output)
    {
        foreach ((JinjaExpression? condition, IReadOnlyList<JinjaStatement> body) in choice.Branches)
        {
            if (condition is null || evaluator.Evaluate(condition, scope).IsTrue) return Run(body, scope, output);
        }
        return Flow.Next;
    }

    private void RunFor(JinjaStatement.For loop, JinjaScope scope, StringBuilder output)
    {
        List<JinjaValue> items = [];
        foreach (JinjaValue item in context.Iterate(evaluator.Evaluate(loop.Items, scope)))
        {
            context.Budget.Step();
            if (loop.Condition is null || evaluator.Evaluate(loop.Condition, Bind(loop.Targets, item, new JinjaScope(scope))).IsTrue) items.Add(item);
        }
        for (int i = 0; i < items.Count; i++)
        {
            JinjaScope inner = Bind(loop.Targets, items[i], new JinjaScope(scope));
            inner.Set("loop", MakeLoop(items, i));
            if (Run(loop.Body, inner, output) == Flow.Break) break;
        }
        if (items.Count == 0) Run(loop.Else, new JinjaScope(scope), output);
    }

    private JinjaValue.Map MakeLoop(List<JinjaValue> items, int at)
    {
        // What a round of a loop costs, even an empty one, by comparison with an ordinary step.
        context.Budget.Step(10);
        return new JinjaValue.Map(new OrderedDictionary<string, JinjaValue>
        {
            ["index"] = JinjaValue.Of(at + 1),
            ["index0"] = JinjaValue.Of(at),
            ["revindex"] = JinjaValue.Of(items.Count - at),
            ["revindex0"] = JinjaValue.Of(items.Count - at - 1),
            ["first"] = JinjaValue.Of(at == 0),
            ["last"] = JinjaValue.Of(at == items.Count - 1),
            ["length"] = JinjaValue.Of(items.Count),
            ["previtem"] = at > 0 ? items[at - 1] : JinjaValue.Missing,
            ["nextitem"] = at < items.Count - 1 ? items[at + 1] : JinjaValue.Missing,
            ["cycle"] = new JinjaValue.Function("cycle", arguments =>
                arguments.Positional.Count > 0 ? arguments.Positional[at % arguments.Positional.Count] : throw JinjaContext.Bad("loop.cycle needs values")),
        });
    }

    private void RunSet(JinjaStatement.Set set, JinjaScope scope)
    {
        JinjaValue value = evaluator.Evaluate(set.Value, scope);
        if (set.Member is not { } member) Bind(set.Targets, value, scope);
        else if (scope.Get(set.Targets[0]) is JinjaValue.Namespace space) space.Items[member] = value;
        else throw JinjaContext.Bad($"{TokenizerFormatException.Quote(set.Targets[0])} is no namespace");
    }

    private JinjaScope Bind(IReadOnlyList<string> targets, JinjaValue value, JinjaScope scope)
    {
        if (targets.Count == 1)
        {
            scope.Set(targets[0], value);
            return scope;
        }
        IReadOnlyList<JinjaValue> parts = context.Iterate(value);
        if (parts.Count != targets.Count) throw JinjaContext.Bad($"{parts.Count} values can't be given {targets.Count} names");
        for (int i = 0; i < targets.Count; i++) scope.Set(targets[i], parts[i]);
        return scope;
    }

    private JinjaValue Capture(IReadOnlyList<JinjaStatement> body, JinjaScope scope)
    {
        StringBuilder text = new();
        Run(body, scope, text);
        return context.NewText(text.ToString());
    }

    private JinjaValue.Function MakeMacro(
        string name, IReadOnlyList<JinjaParameter> parameters, IReadOnlyList<JinjaStatement> body, JinjaScope definedIn, JinjaValue? caller) => new(name, arguments =>
    {
        JinjaScope scope = new(definedIn);
        if (caller is not null) scope.Set("caller", caller);
        if (arguments.Named.GetValueOrDefault("caller") is { } given) scope.Set("caller", given);
        for (int i = 0; i < parameters.Count; i++)
        {
            JinjaParameter parameter = parameters[i];
            scope.Set(parameter.Name, arguments.Find(i, parameter.Name)
                ?? (parameter.Default is { } absent ? evaluator.Evaluate(absent, scope) : JinjaValue.Missing));
        }
        if (arguments.Positional.Count > parameters.Count)
            throw JinjaContext.Bad($"macro {TokenizerFormatException.Quote(name)} takes no more than {parameters.Count} arguments");
        return Capture(body, scope);
    });

    private void RunCall(JinjaStatement.CallBlock call, JinjaScope scope, StringBuilder output)
    {
        JinjaValue.Function caller = MakeMacro("caller", call.Parameters, call.Body, scope, caller: null);
        if (call.Call is not JinjaExpression.Postfix { Suffixes: [.., JinjaSuffix.Call last] } postfix) throw JinjaContext.Bad("a call block needs a call");
        JinjaExpression callee = postfix with { Suffixes = [.. postfix.Suffixes.SkipLast(1)] };
        JinjaArguments arguments = evaluator.EvaluateArguments(last.Arguments, scope);
        arguments.Named["caller"] = caller;
        Write(context.Text.Of(JinjaEvaluator.Call(evaluator.Evaluate(callee, scope), arguments)), output);
    }
}
