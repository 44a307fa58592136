namespace TinyLlm.Text;

/// <summary>Every way in which a JSON schema can be refused. The set is closed.</summary>
public enum SchemaError
{
    /// <summary>It is no JSON, or a keyword's value is not of the keyword's kind.</summary>
    Malformed,

    /// <summary>It uses a keyword, or a combination, whose meaning can't be kept; output would not always validate.</summary>
    Unsupported,

    /// <summary>No document satisfies it.</summary>
    Unsatisfiable,

    /// <summary>A bound on its size or on the automaton's was met.</summary>
    TooLarge,

    /// <summary>A pattern is no regular expression of the supported subset.</summary>
    BadPattern,

    /// <summary>A reference leads nowhere.</summary>
    UnknownReference,

    /// <summary>Two branches of a oneOf can hold at once.</summary>
    Ambiguous,
}
