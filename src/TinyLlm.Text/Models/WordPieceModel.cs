using System.Text;
using TinyLlm.Text.Files;

namespace TinyLlm.Text.Models;

/// <summary>WordPiece: from the left, always the longest token; all but a word's first carry a prefix. A word that can't be cut so is unknown as a whole.</summary>
internal sealed class WordPieceModel : TokenModel
{
    private readonly TokenTrie beginning = new();
    private readonly TokenTrie continuing = new();
    private readonly int unknownId;
    private readonly int maxWordCharacters;

    /// <param name="entries">The vocabulary.</param>
    /// <param name="unknownId">Stands for a word that can't be cut, or has too many characters.</param>
    /// <param name="prefix">What tokens that continue a word begin with.</param>
    /// <param name="maxWordCharacters">Longer words are not tried.</param>
    /// <param name="isText">Whether a token may come from text; special ones may not.</param>
    public WordPieceModel(IEnumerable<VocabularyEntry> entries, int unknownId, string prefix, int maxWordCharacters, Func<int, bool> isText)
    {
        this.unknownId = unknownId;
        this.maxWordCharacters = maxWordCharacters;
        foreach ((string token, int id, _) in entries.Where(entry => isText(entry.Id)))
        {
            beginning.Add(token, id);
            if (token.StartsWith(prefix, StringComparison.Ordinal)) continuing.Add(token[prefix.Length..], id);
        }
    }

    public override void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        int before = ids.Count;
        bool isCut = CountCharacters(piece) <= maxWordCharacters;
        for (int start = 0; isCut && start < piece.Length;)
        {
            int end = LongestAt(start == 0 ? beginning : continuing, piece, start, out int id);
            isCut = end > start;
            if (isCut) ids.Add(id);
            start = end;
        }
        if (isCut) return;
        ids.RemoveRange(before, ids.Count - before);
        ids.Add(unknownId);
    }

    private int LongestAt(TokenTrie trie, ReadOnlySpan<char> piece, int start, out int id)
    {
        id = unknownId;
        int end = start;
        int node = 0;
        for (int at = start; at < piece.Length && trie.TryStep(ref node, piece[at]);)
        {
            at++;
            if (trie.IdAt(node) is not { } found) continue;
            id = found;
            end = at;
        }
        return end;
    }

    private static int CountCharacters(ReadOnlySpan<char> piece)
    {
        int count = 0;
        foreach (Rune _ in piece.EnumerateRunes()) count++;
        return count;
    }
}
