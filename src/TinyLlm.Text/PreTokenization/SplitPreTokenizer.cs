using TinyLlm.Text.Patterns;

namespace TinyLlm.Text.PreTokenization;

/// <summary>Cuts at the matches of a pattern; with <paramref name="invert"/>, at what is between them.</summary>
internal sealed class SplitPreTokenizer(PieceMatcher pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    public override void Apply(PreTokenizedText text)
    {
        List<(int Start, int End)> matches = [];
        text.Cut((piece, parts) =>
        {
            matches.Clear();
            pattern.FindAll(piece, matches);
            int done = 0;
            Joiner joiner = new(behavior, parts);
            foreach ((int start, int end) in matches)
            {
                joiner.Add(done, start, invert);
                joiner.Add(start, end, !invert);
                done = end;
            }
            joiner.Add(done, piece.Length, invert);
        });
    }

    /// <summary>Takes delimiters and what is between them in order, and makes pieces of them by the behavior.</summary>
    private struct Joiner(SplitBehavior behavior, List<(int Start, int End)> parts)
    {
        private bool? previousIsDelimiter;

        public void Add(int start, int end, bool isDelimiter)
        {
            if (start == end) return;
            bool joinsPrevious = behavior switch
            {
                SplitBehavior.MergedWithPrevious => isDelimiter && previousIsDelimiter == false,
                SplitBehavior.MergedWithNext => !isDelimiter && previousIsDelimiter == true,
                SplitBehavior.Contiguous => isDelimiter == previousIsDelimiter,
                _ => false,
            };
            previousIsDelimiter = isDelimiter;
            if (behavior == SplitBehavior.Removed && isDelimiter) return;
            if (joinsPrevious) parts[^1] = (parts[^1].Start, end);
            else parts.Add((start, end));
        }
    }
}
