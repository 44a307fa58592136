namespace TinyLlm.Text.Jinja;

/// <summary>Names and their values; names not found here are looked for further out.</summary>
internal sealed class JinjaScope(JinjaScope? outer)
{
    private readonly Dictionary<string, JinjaValue> names = new(StringComparer.Ordinal);

    public void Set(string name, JinjaValue value) => names[name] = value;

    /// <summary>Undefined when there is no such name.</summary>
    public JinjaValue Get(string name)
    {
        for (JinjaScope? scope = this; scope is not null; scope = scope.Outer)
        {
            if (scope.names.TryGetValue(name, out JinjaValue? value)) return value;
        }
        return JinjaValue.Missing;
    }

    private JinjaScope? Outer { get; } = outer;
}
