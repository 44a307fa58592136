namespace TinyLlm.Text.Jinja;

/// <summary>The arguments of one call.</summary>
internal sealed record JinjaArguments(IReadOnlyList<JinjaValue> Positional, OrderedDictionary<string, JinjaValue> Named)
{
    /// <summary>The argument at a place or of a name; null when it is not given.</summary>
    public JinjaValue? Find(int place, string name) => place < Positional.Count ? Positional[place] : Named.GetValueOrDefault(name);

    /// <summary>As <see cref="Find"/>, of a certain type; none counts as not given.</summary>
    public T? Find<T>(int place, string name)
        where T : JinjaValue => Find(place, name) switch
        {
            null or JinjaValue.Null or JinjaValue.Undefined => null,
            T found => found,
            { } other => throw new ChatTemplateException(ChatTemplateError.BadOperation, $"argument '{name}' can't be {other.Kind}"),
        };

    public string Text(int place, string name) => Find<JinjaValue.Text>(place, name)?.Value
        ?? throw new ChatTemplateException(ChatTemplateError.BadOperation, $"argument '{name}' is missing");

    public bool Flag(int place, string name) => Find(place, name)?.IsTrue ?? false;

    public int? Integer(int place, string name)
    {
        if (Find<JinjaValue.Number>(place, name) is not { } number) return null;
        if (!number.IsFloat && Math.Abs(number.Value) <= int.MaxValue) return (int)number.Value;
        throw new ChatTemplateException(ChatTemplateError.BadOperation, $"argument '{name}' must be an integer of at most {int.MaxValue}");
    }
}
