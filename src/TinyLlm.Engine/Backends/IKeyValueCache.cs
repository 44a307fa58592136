namespace TinyLlm.Engine;

/// <summary>Keys and values of one sequence, allocated once for its whole life.</summary>
public interface IKeyValueCache : IDisposable
{
    /// <summary>Tokens that fit.</summary>
    int Capacity { get; }

    /// <summary>Tokens that it holds. A forward appends.</summary>
    int Length { get; }

    /// <summary>
    /// Appends the keys and values of <paramref name="tokens"/> tokens of another cache of the same decoder, from its token
    /// <paramref name="first"/> on. Keys know their positions, so they only serve at the position where they were computed: token p of a
    /// sequence must become token p again. Between its origin and there a run of tokens may rest in a cache of its own, cut to its length.
    /// </summary>
    /// <exception cref="ArgumentException">The source does not hold them, or they do not fit.</exception>
    void Append(IKeyValueCache source, int first, int tokens);
}
