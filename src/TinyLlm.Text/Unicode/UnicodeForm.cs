using System.Runtime.InteropServices;
using System.Text;

namespace TinyLlm.Text.Unicode;

/// <summary>
/// The four normalization forms of Unicode Standard Annex 15. The base library needs ICU for them: without it (InvariantGlobalization, a slim
/// container) <see cref="string.Normalize()"/> changes nothing, which would silently change ids.
/// </summary>
internal static class UnicodeForm
{
    private const int HangulFirst = 0xAC00, HangulLast = 0xD7A3;
    private const int LeadFirst = 0x1100, LeadCount = 19;
    private const int VowelFirst = 0x1161, VowelCount = 21;
    private const int TailBefore = 0x11A7, TailCount = 28;

    /// <summary>The form of a well-formed text; the same instance when no character of it can change.</summary>
    public static string Apply(string text, NormalizationForm form)
    {
        // The first characters that each form may change, or that may join with what is before them.
        char firstAffected = form switch
        {
            NormalizationForm.FormC => '\u0300',
            NormalizationForm.FormD => '\u00C0',
            _ => '\u00A0',
        };
        if (text.AsSpan().IndexOfAnyInRange(firstAffected, '\uFFFF') < 0) return text;
        List<int> points = Decompose(text, form is NormalizationForm.FormKC or NormalizationForm.FormKD);
        Reorder(points);
        if (form is NormalizationForm.FormC or NormalizationForm.FormKC) Compose(points);
        StringBuilder result = new(text.Length);
        foreach (int point in points) result.Append(new Rune(point));
        return result.ToString();
    }

    private static List<int> Decompose(string text, bool compatibility)
    {
        NormalizationTable table = NormalizationTable.Instance;
        List<int> points = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            int point = rune.Value;
            if (point is >= HangulFirst and <= HangulLast)
            {
                int index = point - HangulFirst;
                points.Add(LeadFirst + (index / (VowelCount * TailCount)));
                points.Add(VowelFirst + (index / TailCount % VowelCount));
                if (index % TailCount != 0) points.Add(TailBefore + (index % TailCount));
            }
            else if (point >= 0xA0 && table.Decomposition(point, compatibility) is { } decomposition)
            {
                points.AddRange(decomposition);
            }
            else
            {
                points.Add(point);
            }
        }
        return points;
    }

    /// <summary>Sorts each run of marks by class, keeping the order of equals. Runs may be as long as the text, so the sort must not be quadratic.</summary>
    private static void Reorder(List<int> points)
    {
        NormalizationTable table = NormalizationTable.Instance;
        for (int start = 0; start < points.Count;)
        {
            if (points[start] < 0x300 || table.CombiningClass(points[start]) == 0)
            {
                start++;
                continue;
            }
            int end = start + 1;
            while (end < points.Count && table.CombiningClass(points[end]) != 0) end++;
            if (end - start > 1)
            {
                int[] sorted = [.. points.GetRange(start, end - start).OrderBy(table.CombiningClass)];
                sorted.CopyTo(CollectionsMarshal.AsSpan(points)[start..]);
            }
            start = end;
        }
    }

    private static void Compose(List<int> points)
    {
        NormalizationTable table = NormalizationTable.Instance;
        int? starterAt = null;
        int lastClass = 0;
        int kept = 0;
        for (int at = 0; at < points.Count; at++)
        {
            int point = points[at];
            int combining = point < 0x300 ? 0 : table.CombiningClass(point);
            // A mark is blocked from its starter by one of its own class; a starter, by anything in between.
            bool blocked = starterAt != kept - 1 && lastClass >= combining;
            if (starterAt is { } starter && !blocked && ComposePair(points[starter], point) is { } composed)
            {
                points[starter] = composed;
                continue;
            }
            if (combining == 0) starterAt = kept;
            lastClass = combining;
            points[kept++] = point;
        }
        points.RemoveRange(kept, points.Count - kept);
    }

    private static int? ComposePair(int first, int second)
    {
        if (first is >= LeadFirst and < LeadFirst + LeadCount && second is >= VowelFirst and < VowelFirst + VowelCount)
            return HangulFirst + ((((first - LeadFirst) * VowelCount) + second - VowelFirst) * TailCount);
        if (first is >= HangulFirst and <= HangulLast && (first - HangulFirst) % TailCount == 0 && second is > TailBefore and < TailBefore + TailCount)
            return first + second - TailBefore;
        return NormalizationTable.Instance.Composition(first, second);
    }
}
