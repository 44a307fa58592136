namespace TinyLlm.Text.Constraints;

/// <summary>
/// Inside one of several fixed words: null, true, false, and the numbers of an enum. <paramref name="words"/> are sorted; those from
/// <paramref name="from"/> to before <paramref name="to"/> share what was read.
/// </summary>
internal sealed class WordsFrame(string[] words, int from, int to, int read, JsonFrame outer) : JsonFrame(outer)
{
    public static void Begin(string[] words, byte value, JsonFrame outer, JsonReadings readings) => Narrow(words, 0, words.Length, 0, value, outer, readings);

    public override void Step(byte value, JsonReadings readings) => Narrow(words, from, to, read, value, Outer, readings);

    private static void Narrow(string[] words, int from, int to, int read, byte value, JsonFrame outer, JsonReadings readings)
    {
        while (from < to && words[from][read] < value) from++;
        int end = from;
        while (end < to && words[end][read] == value) end++;
        read++;
        // A word that ends here sorts before those that it begins.
        if (from < end && words[from].Length == read)
        {
            readings.Add(outer);
            from++;
        }
        if (from < end) readings.Add(new WordsFrame(words, from, end, read, outer));
    }
}
