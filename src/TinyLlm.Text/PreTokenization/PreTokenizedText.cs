using System.Text;

namespace TinyLlm.Text.PreTokenization;

/// <summary>A text that is being cut into pieces. Pieces are never empty, in order, and may leave gaps: what is in a gap is dropped.</summary>
internal sealed class PreTokenizedText
{
    private List<(int Start, int End)> pieces;
    private List<(int Start, int End)> spare = [];

    /// <param name="text">The normalized text between two added tokens; not empty.</param>
    /// <param name="isFirst">Whether it begins where the caller's text begins.</param>
    public PreTokenizedText(string text, bool isFirst)
    {
        Text = text;
        IsFirst = isFirst;
        pieces = [(0, text.Length)];
    }

    public string Text { get; private set; }

    public bool IsFirst { get; }

    public IReadOnlyList<(int Start, int End)> Pieces => pieces;

    /// <summary>Cuts each piece further; <paramref name="cut"/> gets the piece and adds parts of it, in places counted from the piece's start.</summary>
    public void Cut(CutPiece cut)
    {
        List<(int Start, int End)> parts = [];
        spare.Clear();
        foreach ((int start, int end) in pieces)
        {
            parts.Clear();
            cut(Text.AsSpan(start, end - start), parts);
            foreach ((int partStart, int partEnd) in parts)
            {
                if (partEnd > partStart) spare.Add((start + partStart, start + partEnd));
            }
        }
        (pieces, spare) = (spare, pieces);
    }

    /// <summary>Rewrites each piece; <paramref name="rewrite"/> gets the piece, whether it is the caller's text's first, and appends what becomes of it.</summary>
    public void Rewrite(RewritePiece rewrite)
    {
        StringBuilder text = new(Text.Length + pieces.Count);
        spare.Clear();
        foreach ((int start, int end) in pieces)
        {
            int newStart = text.Length;
            rewrite(Text.AsSpan(start, end - start), IsFirst && start == 0, text);
            if (text.Length > newStart) spare.Add((newStart, text.Length));
        }
        TokenizerLimits.CheckGrowth(text.Length, Text.Length);
        Text = text.ToString();
        (pieces, spare) = (spare, pieces);
    }

    public delegate void CutPiece(ReadOnlySpan<char> piece, List<(int Start, int End)> parts);

    public delegate void RewritePiece(ReadOnlySpan<char> piece, bool isFirst, StringBuilder result);
}
