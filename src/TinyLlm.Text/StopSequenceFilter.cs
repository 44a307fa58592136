using System.Collections.Immutable;

namespace TinyLlm.Text;

/// <summary>
/// Ends a stream of text at a stop sequence, also when it comes in several pieces. The sequence that is complete first counts (of those that are complete at the
/// same character, the longest); neither it nor what follows is handed on. Only text that may be the beginning of a stop sequence is kept back.
/// Knows no tokens. Not safe for concurrent use.
/// </summary>
public sealed class StopSequenceFilter
{
    private readonly ImmutableArray<string> stops;
    private string kept = "";
    private bool stopped;

    /// <param name="stops">None may be empty.</param>
    public StopSequenceFilter(IReadOnlyList<string> stops)
    {
        foreach (string stop in stops) ArgumentException.ThrowIfNullOrEmpty(stop, nameof(stops));
        this.stops = [.. stops];
    }

    /// <summary>Text that may be handed on now, and whether a stop sequence was met: from then on there is none.</summary>
    public (string Text, bool Stopped) Append(string piece)
    {
        if (stopped) return ("", true);
        string text = kept + piece;
        if (FindStop(text) is { } at)
        {
            stopped = true;
            kept = "";
            return (text[..at], true);
        }
        int keep = LongestBeginning(text);
        kept = text[^keep..];
        return (text[..^keep], false);
    }

    /// <summary>What was kept back, once the stream is over without a stop sequence.</summary>
    public string Flush()
    {
        string text = kept;
        kept = "";
        return text;
    }

    private int? FindStop(string text)
    {
        int? start = null;
        int end = int.MaxValue;
        foreach (string stop in stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at < 0 || at + stop.Length > end || (at + stop.Length == end && at >= start)) continue;
            start = at;
            end = at + stop.Length;
        }
        return start;
    }

    /// <summary>Length of the longest end of <paramref name="text"/> that begins a stop sequence.</summary>
    private int LongestBeginning(string text)
    {
        int longest = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (!text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) continue;
                longest = length;
                break;
            }
        }
        return longest;
    }
}
