using CsCheck;
using TinyLlm.Text.Files;
using TinyLlm.Text.Models;

namespace TinyLlm.Text.Tests.Models;

public sealed class BytePairModelTests
{
    [Fact]
    public void Encode_AnyMergesAndPieces_EqualsNaiveMerging()
    {
        // Letters a, b, c; every merge joins two tokens that exist by then, so later ones build on earlier ones.
        Gen<List<(string, string)>> genMerges = Gen.Select(Gen.Int[0, 1000], Gen.Int[0, 1000]).Array[0, 12].Select(picks =>
        {
            List<string> tokens = ["a", "b", "c"];
            List<(string, string)> merges = [];
            foreach ((int left, int right) in picks)
            {
                (string Left, string Right) merge = (tokens[left % tokens.Count], tokens[right % tokens.Count]);
                if (merge.Left.Length + merge.Right.Length > 12 || tokens.Contains(merge.Left + merge.Right)) continue;
                merges.Add(merge);
                tokens.Add(merge.Left + merge.Right);
            }
            return merges;
        });
        Gen.Select(genMerges, Gen.Char["abc"].Array[1, 120]).Sample((merges, letters) =>
        {
            string[] tokens = ["a", "b", "c", .. merges.Select(merge => merge.Item1 + merge.Item2)];
            Vocabulary vocabulary = new([.. tokens.Select((token, id) => new VocabularyEntry(token, id, 0))]);
            BytePairModel model = new(vocabulary, [.. merges.Select((merge, rank) => new MergeRule(merge.Item1, merge.Item2, rank))], new BytePairOptions());
            List<int> ids = [];
            model.Encode(letters, ids);
            Assert.Equal(Naive([.. letters.Select(letter => letter.ToString())], merges), ids.Select(id => vocabulary.Token(id)!));
        }, iter: 5_000);
    }

    [Fact]
    public void Encode_OneWordOfAMillionCharacters_EndsSoon()
    {
        Vocabulary vocabulary = new([new("a", 0, 0), new("aa", 1, 0), new("aaaa", 2, 0)]);
        BytePairModel model = new(vocabulary, [new("a", "a", 0), new("aa", "aa", 1)], new BytePairOptions());
        List<int> ids = [];

        model.Encode(new string('a', 1_000_000), ids);

        Assert.Equal(250_000, ids.Count);
        Assert.All(ids, id => Assert.Equal(2, id));
    }

    private static List<string> Naive(List<string> symbols, List<(string Left, string Right)> merges)
    {
        while (true)
        {
            int best = merges.Count, at = 0;
            for (int i = 0; i + 1 < symbols.Count; i++)
            {
                int rank = merges.IndexOf((symbols[i], symbols[i + 1]));
                if (rank >= 0 && rank < best) (best, at) = (rank, i);
            }
            if (best == merges.Count) return symbols;
            symbols[at] += symbols[at + 1];
            symbols.RemoveAt(at + 1);
        }
    }
}
