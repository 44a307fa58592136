namespace TinyLlm.Text.PreTokenization;

/// <summary>Which pieces get a space before them that the text does not have.</summary>
internal enum PrependScheme
{
    /// <summary>None.</summary>
    Never,

    /// <summary>The one at which the caller's text begins.</summary>
    First,

    /// <summary>Every one.</summary>
    Always,
}
