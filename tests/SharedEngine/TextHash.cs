namespace TinyLlm.Tests;

/// <summary>A continuation that depends on every id before it and on their order: wherever a cache holds anything else, the text shows it.</summary>
internal static class TextHash
{
    /// <summary>FNV-1a over the ids.</summary>
    public static int Next(ReadOnlySpan<int> ids)
    {
        uint hash = 2166136261;
        foreach (int id in ids) hash = unchecked((hash ^ (uint)id) * 16777619);
        return (int)(hash >> 8);
    }

    /// <summary>What a model that continues so says to <paramref name="promptIds"/>, alone and without a cache.</summary>
    public static int[] Continue(int[] promptIds, int newTokens, int vocabulary)
    {
        List<int> ids = [.. promptIds];
        for (int i = 0; i < newTokens; i++) ids.Add(Next(ids.ToArray()) % vocabulary);
        return [.. ids[promptIds.Length..]];
    }
}
