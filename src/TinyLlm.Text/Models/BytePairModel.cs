using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text;

namespace TinyLlm.Text.Models;

/// <summary>
/// Byte pair encoding: a piece is cut into characters, then the adjacent pair whose merge ranks lowest is merged (the leftmost of equals) until none is left.
/// The pairs wait in a priority queue and the symbols in a linked list, so a piece of n characters takes O(n log n), however long it is.
/// </summary>
internal sealed class BytePairModel : TokenModel
{
    /// <summary>Pieces up to this long are remembered; longer ones hardly repeat.</summary>
    private const int MaxCachedChars = 32;

    /// <summary>Bounds the memory of the cache to a few MiB; 16,384 distinct words cover nearly all words of an English text.</summary>
    private const int MaxCachedPieces = 16_384;

    /// <summary>Up to this many symbols a plain scan for the best pair beats the queue (our measurement).</summary>
    private const int MaxScannedSymbols = 24;

    private readonly Vocabulary vocabulary;
    private readonly BytePairOptions options;
    private readonly Dictionary<long, Merge> merges;
    private readonly int?[]? byteIds;
    private readonly ConcurrentDictionary<string, int[]> cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> cacheBySpan;
    private int cachedPieces;

    public BytePairModel(Vocabulary vocabulary, IReadOnlyCollection<MergeRule> rules, BytePairOptions options)
    {
        this.vocabulary = vocabulary;
        this.options = options;
        cacheBySpan = cache.GetAlternateLookup<ReadOnlySpan<char>>();
        merges = new Dictionary<long, Merge>(rules.Count);
        int prefixChars = options.ContinuingPrefix.Length;
        foreach ((string left, string right, int rank) in rules)
        {
            int leftId = RequireMerged(left, rank);
            int rightId = RequireMerged(right, rank);
            if (right.Length < prefixChars) throw BadMerge(right, rank);
            int mergedId = RequireMerged(left + right[prefixChars..], rank);
            // The reference keeps the last of equal merges.
            merges[Pair(leftId, rightId)] = new Merge(rank, mergedId);
        }
        if (options.ByteFallback) byteIds = ByteTokens.FindAll(vocabulary);
    }

    public override void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (piece.Length > MaxCachedChars)
        {
            Spell(piece, ids);
            return;
        }
        if (!cacheBySpan.TryGetValue(piece, out int[]? known))
        {
            List<int> spelled = [];
            Spell(piece, spelled);
            known = [.. spelled];
            if (cachedPieces < MaxCachedPieces && cacheBySpan.TryAdd(piece, known)) Interlocked.Increment(ref cachedPieces);
        }
        ids.AddRange(known);
    }

    private void Spell(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (options.IgnoreMerges && vocabulary.TryFind(piece, out int whole) && !options.NeverWhole.Contains(whole))
        {
            ids.Add(whole);
            return;
        }
        for (int at = 0; at < piece.Length;)
        {
            List<int> symbols = new(piece.Length - at);
            at = Cut(piece, at, symbols);
            Span<int> cut = CollectionsMarshal.AsSpan(symbols);
            ids.AddRange(cut.Length <= MaxScannedSymbols ? MergeByScan(cut) : MergeByQueue(cut));
        }
    }

    /// <summary>
    /// The characters of the piece from <paramref name="at"/> as symbols: by themselves, else by their bytes, else as unknown. Stops after a character
    /// that is none of these: it is left out and nothing merges across it, as in @huggingface/tokenizers (the Rust library lets its neighbours merge).
    /// </summary>
    private int Cut(ReadOnlySpan<char> piece, int at, List<int> symbols)
    {
        bool afterUnknown = false;
        Span<byte> utf8 = stackalloc byte[4];
        while (at < piece.Length)
        {
            Rune.DecodeFromUtf16(piece[at..], out Rune rune, out int length);
            bool found = options.HasAffixes
                ? vocabulary.TryFind(Affixed(piece, at, length), out int id)
                : vocabulary.TryFind(piece.Slice(at, length), out id);
            at += length;
            if (found)
            {
                symbols.Add(id);
                afterUnknown = false;
            }
            else if (byteIds is not null && TryAddBytes(utf8[..rune.EncodeToUtf8(utf8)], symbols))
            {
                afterUnknown = false;
            }
            else if (options.UnknownId is { } unknown)
            {
                if (!(afterUnknown && options.FuseUnknown)) symbols.Add(unknown);
                afterUnknown = true;
            }
            else
            {
                break;
            }
        }
        return at;
    }

    /// <summary>False, and nothing added, when a byte has no token.</summary>
    private bool TryAddBytes(ReadOnlySpan<byte> utf8, List<int> symbols)
    {
        int before = symbols.Count;
        foreach (byte value in utf8)
        {
            if (byteIds![value] is { } id)
            {
                symbols.Add(id);
                continue;
            }
            symbols.RemoveRange(before, symbols.Count - before);
            return false;
        }
        return true;
    }

    private string Affixed(ReadOnlySpan<char> piece, int at, int length) =>
        string.Concat(
            at > 0 ? options.ContinuingPrefix : "",
            piece.Slice(at, length),
            at + length == piece.Length ? options.EndOfWordSuffix : "");

    private Span<int> MergeByScan(Span<int> symbols)
    {
        while (symbols.Length > 1)
        {
            Merge best = new(int.MaxValue, 0);
            int bestAt = 0;
            for (int at = 0; at + 1 < symbols.Length; at++)
            {
                if (!merges.TryGetValue(Pair(symbols[at], symbols[at + 1]), out Merge merge) || merge.Rank >= best.Rank) continue;
                best = merge;
                bestAt = at;
            }
            if (best.Rank == int.MaxValue) break;
            symbols[bestAt] = best.Id;
            symbols[(bestAt + 2)..].CopyTo(symbols[(bestAt + 1)..]);
            symbols = symbols[..^1];
        }
        return symbols;
    }

    private Span<int> MergeByQueue(Span<int> symbols)
    {
        const int None = int.MaxValue;
        int count = symbols.Length;
        int[] previous = new int[count], next = new int[count];
        bool[] merged = new bool[count];
        PriorityQueue<(int At, Merge Merge), long> queue = new(count);
        for (int at = 0; at < count; at++)
        {
            previous[at] = at == 0 ? None : at - 1;
            next[at] = at == count - 1 ? None : at + 1;
            if (at > 0) Offer(at - 1, symbols[at - 1], symbols[at]);
        }
        while (queue.TryDequeue(out (int At, Merge Merge) candidate, out _))
        {
            int left = candidate.At;
            if (merged[left] || next[left] is var right && right == None) continue;
            // The symbols may have changed since the pair was offered.
            if (!merges.TryGetValue(Pair(symbols[left], symbols[right]), out Merge now) || now.Id != candidate.Merge.Id) continue;
            symbols[left] = now.Id;
            merged[right] = true;
            next[left] = next[right];
            if (next[left] != None)
            {
                previous[next[left]] = left;
                Offer(left, symbols[left], symbols[next[left]]);
            }
            if (previous[left] != None) Offer(previous[left], symbols[previous[left]], symbols[left]);
        }
        int kept = 0;
        for (int at = 0; at < count; at++)
        {
            if (!merged[at]) symbols[kept++] = symbols[at];
        }
        return symbols[..kept];

        void Offer(int at, int leftId, int rightId)
        {
            if (merges.TryGetValue(Pair(leftId, rightId), out Merge merge)) queue.Enqueue((at, merge), ((long)merge.Rank << 32) | (uint)at);
        }
    }

    private int RequireMerged(string token, int rank) => vocabulary.Find(token) ?? throw BadMerge(token, rank);

    private static TokenizerFormatException BadMerge(string token, int rank) =>
        new(TokenizerFormatError.BadMerge, $"merge {rank} needs {TokenizerFormatException.Quote(token)}, which the vocabulary lacks");

    private static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    private readonly record struct Merge(int Rank, int Id);
}
