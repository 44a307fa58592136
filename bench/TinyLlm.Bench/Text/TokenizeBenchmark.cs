using System.Diagnostics;
using System.Text;
using System.Text.Json;
using TinyLlm.Text;

namespace TinyLlm.Bench.Text;

/// <summary>
/// Megabytes of UTF-8 a second that a tokenizer encodes on one thread, cold (the first pass, words unseen) and warm, beside npm @huggingface/tokenizers on the
/// same texts in the same run where node and tests/npm/node_modules are there. Option: <c>--samples N</c>. Run it in the
/// repository's root; the reference data are found as the tests find them.
/// </summary>
internal static class TokenizeBenchmark
{
    private const int WarmUps = 2;

    private static readonly string[] Tokenizers = ["gpt2", "smollm", "qwen3", "phi-3-mini", "t5-small", "gpt-neox-20b"];
    private static readonly string[] Corpora = ["tinyshakespeare/input.txt", "tinystories-sample/tinystories_sample_197k.txt", "names/names.txt"];

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments, "--samples");
        string data = Environment.GetEnvironmentVariable("TINYLLM_TEST_DATA") ?? Path.Combine("..", "shared", "data");
        int samples = (int)options.Number("--samples", 7);
        string text = string.Concat(Corpora.Select(corpus => File.ReadAllText(Path.Combine(data, "corpora", corpus))));
        double megabytes = Encoding.UTF8.GetByteCount(text) / 1e6;
        BenchReport report = new("tokenize", $"transcoding the same text from UTF-16 to UTF-8 on one thread (transcodeMBs); {megabytes:f2} MB in chunks of 4,096 chars");
        string[] chunks = [.. text.Chunk(4096).Select(chunk => new string(chunk))];

        byte[] utf8 = new byte[4096 * 3];
        report.Add("transcodeMBs", Rates(samples, megabytes, () => chunks.Sum(chunk => Encoding.UTF8.GetBytes(chunk, utf8))));
        foreach (string name in Tokenizers)
        {
            string file = Path.Combine(data, "tokenizers", name, "tokenizer.json");
            long started = Stopwatch.GetTimestamp();
            Tokenizer tokenizer = Tokenizer.Load(File.ReadAllBytes(file), []);
            report.Add($"{name}.loadMs", Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            started = Stopwatch.GetTimestamp();
            long ids = Encode(tokenizer, chunks);
            report.Add($"{name}.coldMBs", megabytes / Stopwatch.GetElapsedTime(started).TotalSeconds);
            report.Add($"{name}.warmMBs", Rates(samples, megabytes, () => Encode(tokenizer, chunks)));
            report.Add($"{name}.ids", ids);
            AddPeer(report, name, file, chunks, samples, megabytes);
        }
        return report.Finish(options.Out);
    }

    private static long Encode(Tokenizer tokenizer, string[] chunks)
    {
        long ids = 0;
        foreach (string chunk in chunks) ids += tokenizer.Encode(chunk, addSpecialTokens: false).Length;
        return ids;
    }

    private static double[] Rates(int samples, double megabytes, Func<long> encode)
    {
        for (int i = 0; i < WarmUps; i++) encode();
        double[] rates = new double[samples];
        for (int i = 0; i < samples; i++)
        {
            long started = Stopwatch.GetTimestamp();
            encode();
            rates[i] = megabytes / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        return rates;
    }

    /// <summary>The same chunks through npm's package, timed by itself inside node; left out, and said so, where it is not installed.</summary>
    private static void AddPeer(BenchReport report, string name, string file, string[] chunks, int samples, double megabytes)
    {
        string packages = Path.Combine("tests", "npm", "node_modules");
        if (!Directory.Exists(Path.Combine(packages, "@huggingface", "tokenizers")))
        {
            Console.WriteLine($"{name}: no npm peer, as {packages} lacks @huggingface/tokenizers (run npm ci in tests/npm)");
            return;
        }
        ProcessStartInfo start = new("node", [Path.Combine("bench", "TinyLlm.Bench", "Text", "peer.mjs"), packages])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("node did not start");
        process.StandardInput.Write(JsonSerializer.Serialize(new { tokenizer = file, chunks, samples = Math.Min(samples, 3), warmUps = 1 }));
        process.StandardInput.Close();
        string answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"the npm peer failed on {name} with exit code {process.ExitCode}");
        JsonElement seconds = JsonSerializer.Deserialize<JsonElement>(answer);
        report.Add($"{name}.npmColdMBs", megabytes / seconds.GetProperty("cold").GetDouble());
        report.Add($"{name}.npmWarmMBs", [.. seconds.GetProperty("warm").EnumerateArray().Select(value => megabytes / value.GetDouble())]);
        report.Add($"{name}.npmIds", seconds.GetProperty("ids").GetDouble());
    }
}
