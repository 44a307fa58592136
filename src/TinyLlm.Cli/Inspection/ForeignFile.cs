namespace TinyLlm.Cli.Inspection;

/// <summary>A file of a format that is not used: named, never opened.</summary>
/// <param name="Name">Its bare name.</param>
/// <param name="Verdict">"unsafe": loading its format can run code; "unsupported": it is not read here.</param>
/// <param name="Bytes">Its length; 0 for a link that leads nowhere.</param>
internal sealed record ForeignFile(string Name, string Verdict, long Bytes)
{
    /// <summary>What to know of it, on one line.</summary>
    public string ToLine() => $"{Name}: {Verdict}, not opened";
}
