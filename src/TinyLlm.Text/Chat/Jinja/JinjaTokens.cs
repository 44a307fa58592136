namespace TinyLlm.Text.Jinja;

/// <summary>A walk over a template's tokens, which also counts how deep the reader is in nested blocks and brackets.</summary>
internal sealed class JinjaTokens(List<JinjaToken> tokens)
{
    private int at;
    private int depth;

    public JinjaToken Current => tokens[at];

    public JinjaToken Next => tokens[Math.Min(at + 1, tokens.Count - 1)];

    /// <summary>The current token, and on to the next; the last one stays.</summary>
    public JinjaToken Take() => Current.Kind == JinjaTokenKind.End ? Current : tokens[at++];

    public void Enter()
    {
        if (++depth > JinjaLimits.MaxDepth)
            throw new ChatTemplateException(ChatTemplateError.TooDeep, $"the chat template nests more than {JinjaLimits.MaxDepth} deep at line {Current.Line}");
    }

    public void Leave() => depth--;

    public void Expect(JinjaTokenKind kind)
    {
        if (Take().Kind != kind) throw Bad($"{kind} was expected");
    }

    public string TakeName() => Current.Kind == JinjaTokenKind.Name ? Take().Value : throw Bad("a name was expected");

    public bool IsName(string name) => Current.Kind == JinjaTokenKind.Name && Current.Value == name;

    public bool TryTakeName(string name)
    {
        if (!IsName(name)) return false;
        Take();
        return true;
    }

    public void ExpectName(string name)
    {
        if (!TryTakeName(name)) throw Bad($"'{name}' was expected");
    }

    public bool IsOperator(string symbol) => Current.Kind == JinjaTokenKind.Operator && Current.Value == symbol;

    public bool TryTakeOperator(string symbol)
    {
        if (!IsOperator(symbol)) return false;
        Take();
        return true;
    }

    public void ExpectOperator(string symbol)
    {
        if (!TryTakeOperator(symbol)) throw Bad($"'{symbol}' was expected");
    }

    public ChatTemplateException Bad(string what) =>
        new(ChatTemplateError.BadSyntax, $"the chat template is malformed at line {Current.Line}: {what}");
}
