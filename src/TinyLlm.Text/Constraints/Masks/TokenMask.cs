namespace TinyLlm.Text.Constraints;

/// <summary>Bits of token ids.</summary>
internal static class TokenMask
{
    public static int Words(int vocabularySize) => (vocabularySize + 63) / 64;

    public static void Add(Span<ulong> mask, ReadOnlySpan<int> ids)
    {
        foreach (int id in ids) mask[id >> 6] |= 1ul << id;
    }
}
