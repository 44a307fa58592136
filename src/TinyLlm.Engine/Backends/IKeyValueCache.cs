namespace TinyLlm.Engine;

/// <summary>Keys and values of one sequence, allocated once for its whole life.</summary>
public interface IKeyValueCache : IDisposable
{
    /// <summary>Tokens that fit.</summary>
    int Capacity { get; }

    /// <summary>Tokens that it holds. A forward appends.</summary>
    int Length { get; }
}
