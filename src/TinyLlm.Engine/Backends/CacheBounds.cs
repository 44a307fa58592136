namespace TinyLlm.Engine;

/// <summary>What holds for the caches of every backend.</summary>
public static class CacheBounds
{
    /// <summary>Checks the arguments of <see cref="IKeyValueCache.Append"/>.</summary>
    /// <exception cref="ArgumentException">The source does not hold these tokens, or they do not fit.</exception>
    public static void CheckAppend(IKeyValueCache target, IKeyValueCache source, int first, int tokens)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 1);
        if (tokens > source.Length - first)
            throw new ArgumentException($"{tokens} tokens from token {first} on are wanted of a cache that holds {source.Length}", nameof(source));
        if (tokens > target.Capacity - target.Length)
            throw new ArgumentException($"{tokens} tokens do not fit a cache that holds {target.Length} of {target.Capacity}", nameof(target));
    }
}
