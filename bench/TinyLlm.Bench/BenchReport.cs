using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace TinyLlm.Bench;

/// <summary>
/// What a benchmark says: the machine, the ceiling that the figures are to be read against, the figures, and all of it as the last line in JSON.
/// </summary>
internal sealed class BenchReport
{
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string _name;
    private readonly JsonObject _figures = [];
    private readonly JsonObject _json;

    /// <param name="name">The benchmark's name on the command line.</param>
    /// <param name="ceiling">What bounds the figures from outside, in words, with its number where there is one.</param>
    public BenchReport(string name, string ceiling)
    {
        _name = name;
        _json = new JsonObject
        {
            ["benchmark"] = name,
            ["machine"] = MachineName(),
            ["cores"] = Environment.ProcessorCount,
            ["system"] = RuntimeInformation.OSDescription,
            ["runtime"] = RuntimeInformation.FrameworkDescription,
            ["ceiling"] = ceiling,
            ["figures"] = _figures,
        };
        Console.WriteLine($"{name} on {_json["machine"]}, {Environment.ProcessorCount} cores, {RuntimeInformation.FrameworkDescription}");
        Console.WriteLine($"ceiling: {ceiling}");
    }

    /// <summary>Median and 99th percentile of repeated measurements, after the warm-up.</summary>
    /// <param name="figure">What was measured, with its unit at the end: "openMs".</param>
    /// <param name="samples">One value for each repetition; at least one.</param>
    public void Add(string figure, IReadOnlyCollection<double> samples)
    {
        double[] sorted = [.. samples.Order()];
        double median = Percentile(sorted, 0.50);
        double p99 = Percentile(sorted, 0.99);
        _figures[figure] = new JsonObject { ["median"] = Round(median), ["p99"] = Round(p99), ["samples"] = sorted.Length };
        Console.WriteLine($"{figure}: median {median:g4}, p99 {p99:g4} ({sorted.Length} samples)");
    }

    /// <summary>A single figure: a count, a maximum, a share.</summary>
    public void Add(string figure, double value)
    {
        _figures[figure] = Round(value);
        Console.WriteLine($"{figure}: {value:g6}");
    }

    /// <summary>Prints the last line, and writes it to <paramref name="folder"/>/NAME.json when there is one.</summary>
    public int Finish(string? folder)
    {
        string line = _json.ToJsonString(s_json);
        if (folder is not null)
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, $"{_name}.json"), line + "\n");
        }
        Console.WriteLine(line);
        return 0;
    }

    /// <summary>The nearest-rank percentile of sorted values.</summary>
    private static double Percentile(double[] sorted, double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];

    /// <summary>Five significant digits; integers stay whole.</summary>
    private static double Round(double value) =>
        value == 0 ? 0 : Math.Round(value, Math.Clamp(4 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 15));

    /// <summary>The processor's name where the system tells it, else its architecture; never the host's name.</summary>
    private static string MachineName()
    {
        const string ModelLine = "model name";
        const string Processors = "/proc/cpuinfo";
        IEnumerable<string> lines = File.Exists(Processors) ? File.ReadLines(Processors) : [];
        string? line = lines.FirstOrDefault(line => line.StartsWith(ModelLine, StringComparison.Ordinal));
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
