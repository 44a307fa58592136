namespace TinyLlm.Text.Jinja;

/// <summary>How <c>tojson</c> lays JSON out. The defaults are transformers': one line, spaces after commas and colons, no escapes beyond need.</summary>
internal sealed record JsonLayout
{
    /// <summary>Spaces for each level; 0 is one line.</summary>
    public int Indent { get; init; }

    public bool EnsureAscii { get; init; }

    public bool SortKeys { get; init; }

    public string ItemSeparator { get; init; } = ", ";

    public string KeySeparator { get; init; } = ": ";
}
