namespace TinyLlm.Engine;

/// <summary>How a checkpoint keeps the matrices of queries, keys and values.</summary>
internal enum QueryKeyValueLayout
{
    /// <summary>Each on its own.</summary>
    Separate,

    /// <summary>One under the other: all queries, all keys, all values.</summary>
    Stacked,

    /// <summary>Head by head: its query, its key, its value.</summary>
    ByHead,
}
