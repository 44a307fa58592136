using System.Numerics;
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
            if (!hasAny) Assert.Fail($"nothing is allowed after {Encoding.UTF8.GetString([.. output])}");
            int id = Choose(mask, random);
            output.AddRange(_spellings[id]!);
            Assert.True(state.Advance(id));
        }
        return null;
    }

    private int Choose(ulong[] mask, Random random)
    {
        int[] from = random.Next(3) > 0 ? [.. _closing.Where(id => (mask[id >> 6] >> id & 1) != 0)] : [];
        return from.Length > 0 ? from[random.Next(from.Length)] : Nth(mask, random.Next(mask.Sum(BitOperations.PopCount)));
    }

    /// <summary>The id of the bit before which there are <paramref name="skipped"/>.</summary>
    private static int Nth(ulong[] mask, int skipped)
    {
        int word = 0;
        for (int count; (count = BitOperations.PopCount(mask[word])) <= skipped; word++) skipped -= count;
        ulong left = mask[word];
        for (; skipped > 0; skipped--) left &= left - 1;
        return word * 64 + BitOperations.TrailingZeroCount(left);
    }
}
