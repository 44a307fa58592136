using System.Text;
using TinyLlm.Text.Files;

namespace TinyLlm.Text.Models;

/// <summary>
/// Unigram: of all ways to cut a piece into tokens, the one whose log probabilities add up highest (Viterbi, from left to right).
/// A character that is no token can be cut out as unknown at a penalty; a run of such is one unknown token, or its bytes.
/// </summary>
internal sealed class UnigramModel : TokenModel
{
    /// <summary>How far below the least likely token an unknown character scores (SentencePiece's kUnkPenalty).</summary>
    private const double UnknownPenalty = 10;

    private readonly TokenTrie trie = new();
    private readonly double[] scores;
    private readonly int? unknownId;
    private readonly double unknownScore;
    private readonly int?[]? byteIds;

    /// <param name="entries">The vocabulary; ids are places in it.</param>
    /// <param name="unknownId">Stands for characters without a token.</param>
    /// <param name="byteIds">The byte tokens, when unknown characters are spelled by them.</param>
    /// <param name="isText">Whether a token may come from text; special ones may not.</param>
    public UnigramModel(IReadOnlyList<VocabularyEntry> entries, int? unknownId, int?[]? byteIds, Func<int, bool> isText)
    {
        this.unknownId = unknownId;
        this.byteIds = byteIds;
        scores = new double[entries.Count];
        foreach ((string token, int id, double score) in entries)
        {
            scores[id] = score;
            if (token.Length > 0 && isText(id) && id != unknownId) trie.Add(token, id);
        }
        unknownScore = scores.DefaultIfEmpty().Min() - UnknownPenalty;
    }

    public override void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        Best[] best = FindBest(piece);
        Stack<(int Start, int End, int? Id)> path = new();
        for (int end = piece.Length; end > 0; end = best[end].Start) path.Push((best[end].Start, end, best[end].Id));
        bool afterUnknown = false;
        foreach ((int start, int end, int? id) in path)
        {
            if (id is { } known) ids.Add(known);
            else if (TryAddBytes(piece[start..end], ids)) continue;
            else if (!afterUnknown && unknownId is { } unknown) ids.Add(unknown);
            afterUnknown = id is null;
        }
    }

    /// <summary>For each place, how the best cut of what is before it ends.</summary>
    private Best[] FindBest(ReadOnlySpan<char> piece)
    {
        Best[] best = new Best[piece.Length + 1];
        Array.Fill(best, new Best(double.NegativeInfinity, 0, null));
        best[0] = new Best(0, 0, null);
        for (int start = 0; start < piece.Length;)
        {
            double before = best[start].Score;
            int character = start + (start + 1 < piece.Length && char.IsSurrogatePair(piece[start], piece[start + 1]) ? 2 : 1);
            bool characterIsToken = false;
            int node = 0;
            for (int at = start; at < piece.Length && trie.TryStep(ref node, piece[at]);)
            {
                at++;
                if (trie.IdAt(node) is not { } id) continue;
                if (before + scores[id] > best[at].Score) best[at] = new Best(before + scores[id], start, id);
                characterIsToken |= at == character;
            }
            if (!characterIsToken && before + unknownScore > best[character].Score) best[character] = new Best(before + unknownScore, start, null);
            start = character;
        }
        return best;
    }

    /// <summary>False, and nothing added, when a byte of the character has no token.</summary>
    private bool TryAddBytes(ReadOnlySpan<char> character, List<int> ids)
    {
        if (byteIds is null) return false;
        Span<byte> utf8 = stackalloc byte[4];
        Rune.DecodeFromUtf16(character, out Rune rune, out _);
        int length = rune.EncodeToUtf8(utf8);
        foreach (byte value in utf8[..length])
        {
            if (byteIds[value] is null) return false;
        }
        foreach (byte value in utf8[..length]) ids.Add(byteIds[value]!.Value);
        return true;
    }

    /// <param name="Score">Of the best cut up to here.</param>
    /// <param name="Start">Where its last token begins.</param>
    /// <param name="Id">Its last token; null when unknown.</param>
    private readonly record struct Best(double Score, int Start, int? Id);
}
