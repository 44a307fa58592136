using System.Text;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>A model that says anything it is let: mostly what closes something, so that its documents end.</summary>
internal sealed class RandomWriter
{
    private const int MaxTokens = 800;

    private readonly byte[]?[] _spellings;
    private readonly int[] _closing;

    public RandomWriter(Tokenizer tokenizer)
    {
        _spellings = [.. Enumerable.Range(0, tokenizer.VocabularySize).Select(tokenizer.TokenBytes)];
        // Short ones end more than they begin.
        _closing = [.. Enumerable.Range(0, _spellings.Length).Where(id => _spellings[id] is { Length: 1 or 2 } bytes && bytes[0] is (byte)'"' or (byte)'}' or (byte)']' or (byte)',')];
    }

    /// <summary>Null when the document did not end within the bound.</summary>
    public string? Write(OutputConstraint constraint, Random random)
    {
        ConstraintState state = constraint.Begin();
        ulong[] mask = new ulong[(_spellings.Length + 63) / 64];
        List<byte> output = [];
        for (int count = 0; count < MaxTokens; count++)
        {
            bool hasAny = state.Mask(mask);
            if (state.IsComplete && (!hasAny || random.Next(2) == 0)) return Encoding.UTF8.GetString([.. output]);
            Assert.True(hasAny, $"nothing is allowed after {Encoding.UTF8.GetString([.. output])}");
            int id = Choose(mask, random);
            output.AddRange(_spellings[id]!);
            Assert.True(state.Advance(id));
        }
        return null;
    }

    private int Choose(ulong[] mask, Random random)
    {
        int[] from = random.Next(3) > 0 ? [.. _closing.Where(IsAllowed)] : [];
        if (from.Length > 0) return from[random.Next(from.Length)];
        for (int attempt = 0; attempt < 50; attempt++)
        {
            int id = random.Next(_spellings.Length);
            if (IsAllowed(id)) return id;
        }
        from = [.. Enumerable.Range(0, _spellings.Length).Where(IsAllowed)];
        return from[random.Next(from.Length)];

        bool IsAllowed(int id) => (mask[id >> 6] >> id & 1) != 0;
    }
}
