using System.Globalization;
using System.Text.RegularExpressions;

namespace TinyLlm.Host.Tests.Telemetry;

/// <summary>
/// A strict reader of Prometheus' text format 0.0.4: what a lenient scraper would pass over is an error here. Samples of a family stand together after its one TYPE, no series comes twice, and
/// a histogram's buckets grow up to its count.
/// </summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, string> _types = [];
    private readonly Dictionary<string, double> _samples = [];

    private Exposition()
    {
    }

    /// <summary>Every family and its type.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>Every series, as it is written.</summary>
    public IEnumerable<string> Series => _samples.Keys;

    /// <summary>The sum over a sample's series that have all of these labels, each as name="value"; 0 where there is none.</summary>
    public double Sum(string name, params string[] labels) => _samples
        .Where(sample => Name().Match(sample.Key).Value == name && labels.All(label => sample.Key.Contains(label, StringComparison.Ordinal)))
        .Sum(sample => sample.Value);

    public static Exposition Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Exposition read = new();
        HashSet<string> closed = [];
        string? family = null;
        foreach (string line in text.TrimEnd('\n').Split('\n'))
        {
            if (line == "# EOF") continue;
            if (Comment().Match(line) is { Success: true } comment)
            {
                string named = comment.Groups["name"].Value;
                if (named != family)
                {
                    if (family is not null) closed.Add(family);
                    Assert.DoesNotContain(named, closed);
                    family = named;
                }
                if (comment.Groups["kind"].Value == "TYPE") Assert.True(read._types.TryAdd(named, comment.Groups["text"].Value), $"a second TYPE: {line}");
                continue;
            }
            Match sample = Sample().Match(line);
            Assert.True(sample.Success, $"no sample: {line}");
            Assert.True(family is not null && read._types.ContainsKey(family), $"a sample before its TYPE: {line}");
            Assert.True(Belongs(sample.Groups["name"].Value, family, read._types[family]), $"a sample of another family than {family}: {line}");
            string series = sample.Groups["name"].Value + sample.Groups["labels"].Value;
            Assert.True(read._samples.TryAdd(series, Number(sample.Groups["value"].Value)), $"a series twice: {line}");
        }
        foreach ((string name, string type) in read._types)
        {
            if (type == "histogram") read.CheckHistogram(name);
            if (type == "counter") Assert.All(read._samples.Where(item => Name().Match(item.Key).Value == name), item => Assert.True(item.Value >= 0));
        }
        return read;
    }

    private static bool Belongs(string sample, string family, string type) => type switch
    {
        "histogram" => sample == $"{family}_bucket" || sample == $"{family}_sum" || sample == $"{family}_count",
        "counter" => sample == family && family.EndsWith("_total", StringComparison.Ordinal),
        "gauge" or "untyped" => sample == family,
        _ => throw new InvalidOperationException($"the type {type} of {family}"),
    };

    private void CheckHistogram(string name)
    {
        var counts = _samples.Where(sample => Name().Match(sample.Key).Value == $"{name}_count").ToArray();
        foreach ((string series, double count) in counts)
        {
            string labels = series[$"{name}_count".Length..].Trim('{', '}');
            double[] buckets = [.. _samples.Where(sample => sample.Key.StartsWith($"{name}_bucket{{", StringComparison.Ordinal) && WithoutBound(sample.Key) == labels)
                .OrderBy(sample => Number(Bound().Match(sample.Key).Groups[1].Value)).Select(sample => sample.Value)];
            Assert.True(buckets.Length > 1, $"buckets of {series}");
            Assert.Equal(buckets.Order(), buckets);
            Assert.Equal(count, buckets[^1]);
            Assert.Contains(_samples.Keys, key => key.StartsWith($"{name}_bucket{{", StringComparison.Ordinal) && key.Contains("le=\"+Inf\"", StringComparison.Ordinal) && WithoutBound(key) == labels);
            Assert.True(_samples.ContainsKey(series.Replace("_count", "_sum", StringComparison.Ordinal)), $"no sum for {series}");
        }
    }

    private static string WithoutBound(string series) => string.Join(',', Label().Matches(series).Select(label => label.Value).Where(label => !label.StartsWith("le=", StringComparison.Ordinal)));

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    [GeneratedRegex("^# (?<kind>HELP|TYPE) (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<text>.*)$")]
    private static partial Regex Comment();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\["\\n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\["\\n])*")*\})? (?<value>[-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf|NaN))(?: [0-9]+)?$""")]
    private static partial Regex Sample();

    [GeneratedRegex("^[a-zA-Z_:][a-zA-Z0-9_:]*")]
    private static partial Regex Name();

    [GeneratedRegex("""[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\["\\n])*["]""")]
    private static partial Regex Label();

    [GeneratedRegex("le=\"([^\"]+)\"")]
    private static partial Regex Bound();
}
