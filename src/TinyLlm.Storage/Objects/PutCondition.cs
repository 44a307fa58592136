namespace TinyLlm.Storage;

/// <summary>What the store must hold for a write or a deletion to happen; checked and done as one step, against every other writer.</summary>
public sealed record PutCondition
{
    private PutCondition(bool mustBeAbsent, string? eTag)
    {
        MustBeAbsent = mustBeAbsent;
        ETag = eTag;
    }

    /// <summary>Whatever is there.</summary>
    public static PutCondition Always { get; } = new(false, null);

    /// <summary>Only if no object has the name.</summary>
    public static PutCondition IfAbsent { get; } = new(true, null);

    internal bool MustBeAbsent { get; }

    internal string? ETag { get; }

    /// <summary>Only if the object is still the one that had <paramref name="eTag"/>.</summary>
    public static PutCondition IfMatch(string eTag)
    {
        ArgumentException.ThrowIfNullOrEmpty(eTag);
        return new PutCondition(false, eTag);
    }

    /// <summary>Whether an object with <paramref name="storedETag"/> (null: no object) satisfies this.</summary>
    internal bool Admits(string? storedETag) =>
        MustBeAbsent ? storedETag is null : ETag is null || string.Equals(ETag, storedETag, StringComparison.Ordinal);
}
