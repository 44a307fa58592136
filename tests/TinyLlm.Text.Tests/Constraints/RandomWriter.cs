namespace TinyLlm.Text.Tests.Constraints;

/// <summary>A model that says anything it is let: mostly what closes something, so that its documents end.</summary>
internal static class RandomWriter
{
    private const int MaxTokens = 3_000;

    /// <summary>Null when the document did not end within the bound.</summary>
    public static string? Write(OutputConstraint constraint, Tokenizer tokenizer, Random random)
    {
        ConstraintState state = constraint.Begin();
        ulong[] mask = new ulong[(tokenizer.VocabularySize + 63) / 64];
        List<byte> output = [];
        for (int count = 0; count < MaxTokens; count++)
        {
            if (state.IsComplete && random.Next(2) == 0) return System.Text.Encoding.UTF8.GetString([.. output]);
            bool hasAny = state.Mask(mask);
            if (!hasAny)
            {
                Assert.True(state.IsComplete, $"nothing is allowed after {System.Text.Encoding.UTF8.GetString([.. output])}");
                return System.Text.Encoding.UTF8.GetString([.. output]);
            }
            int id = Choose(mask, tokenizer, random, random.Next(3) > 0);
            output.AddRange(tokenizer.TokenBytes(id)!);
            Assert.True(state.Advance(id));
        }
        return null;
    }

    private static int Choose(ulong[] mask, Tokenizer tokenizer, Random random, bool closes)
    {
        List<int> allowed = [], closing = [];
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            if ((mask[id >> 6] >> id & 1) == 0) continue;
            allowed.Add(id);
            if (closes && tokenizer.TokenBytes(id)![0] is (byte)'"' or (byte)'}' or (byte)']' or (byte)',') closing.Add(id);
        }
        // A bare closing bracket ends more than one that opens anew.
        if (closing.Count > 0 && random.Next(2) == 0) closing.RemoveAll(id => closing.Count > 1 && tokenizer.TokenBytes(id)!.Length > 2);
        List<int> from = closing.Count > 0 ? closing : allowed;
        return from[random.Next(from.Count)];
    }
}
