using System.Diagnostics;
using System.Text;
using System.Text.Json;
using TinyLlm.Text;

namespace TinyLlm.Bench.Text;

/// <summary>
/// Time to compile JSON schemas of several kinds, and time per token to find the allowed tokens and to take the next one, by vocabulary: bytes alone with
/// made-up pieces (512, 32,000) and those of the reference data where they are there (49,152 and 151,669). Option: <c>--samples N</c>.
/// </summary>
internal static class SchemaBenchmark
{
    private static readonly (string Kind, string Schema)[] Schemas =
    [
        ("object", """{"type":"object"}"""),
        ("flat", """{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0,"maximum":150},"email":{"type":"string","format":"email"},"tags":{"type":"array","items":{"type":"string"}}},"required":["name","age","email","tags"],"additionalProperties":false}"""),
        ("recursive", """{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"value":{"type":["string","number","null"]},"children":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["value","children"],"additionalProperties":false}}}"""),
        ("union", """{"type":"array","items":{"anyOf":[{"type":"object","properties":{"kind":{"const":"a"},"n":{"type":"integer"}},"required":["kind","n"],"additionalProperties":false},{"type":"object","properties":{"kind":{"const":"b"},"s":{"type":"string","maxLength":40}},"required":["kind","s"],"additionalProperties":false},{"type":"string"}]}}"""),
        ("pattern", """{"type":"object","properties":{"id":{"type":"string","pattern":"^[A-Z]{2,4}-[0-9]{3,12}$"},"at":{"type":"string","format":"date-time"}},"required":["id","at"],"additionalProperties":false}"""),
        ("wide", Wide(200)),
    ];

    // Of what a document of each kind begins with: open strings, keys, numbers and structure.
    private const string Document = """{"name":"Ada Lovelace, \"countess\"","age":36,"email":"ada@example.org","tags":["mathematics","engines"]}""";

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments, "--samples");
        int samples = (int)options.Number("--samples", 200);
        string data = Environment.GetEnvironmentVariable("TINYLLM_TEST_DATA") ?? Path.Combine("..", "shared", "data");
        BenchReport report = new("schema", "compile: 100 ms for an ordinary schema; a token: a forward pass of the smallest model served, about 1 ms");
        foreach ((string kind, string schema) in Schemas)
        {
            byte[] utf8 = Encoding.UTF8.GetBytes(schema);
            long started = Stopwatch.GetTimestamp();
            JsonGrammar.Compile(utf8);
            report.Add($"{kind}.firstCompileMs", Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            report.Add($"{kind}.compileMs", Times(samples, () => JsonGrammar.Compile(utf8)));
        }
        AddVocabulary(report, "512", Made(512), samples);
        AddVocabulary(report, "32k", Made(32_000), samples);
        foreach ((string name, string size) in new[] { ("smollm", "49k"), ("qwen3", "150k") })
        {
            string file = Path.Combine(data, "tokenizers", name, "tokenizer.json");
            if (File.Exists(file)) AddVocabulary(report, size, Tokenizer.Load(File.ReadAllBytes(file), []), samples);
            else Console.WriteLine($"{size}: left out, as {file} is not there (set TINYLLM_TEST_DATA)");
        }
        return report.Finish(options.Out);
    }

    private static void AddVocabulary(BenchReport report, string size, Tokenizer tokenizer, int samples)
    {
        long started = Stopwatch.GetTimestamp();
        ConstraintVocabulary vocabulary = new(tokenizer);
        report.Add($"vocabulary{size}.buildMs", Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        int[] ids = tokenizer.Encode(Document, addSpecialTokens: false);
        ulong[] mask = new ulong[(vocabulary.Size + 63) / 64];
        foreach (string kind in new[] { "object", "flat" })
        {
            OutputConstraint constraint = new(vocabulary, JsonGrammar.Compile(Encoding.UTF8.GetBytes(Schemas.Single(item => item.Kind == kind).Schema)));
            report.Add($"vocabulary{size}.{kind}.firstTokensMs", Walk(constraint, ids, mask));
            List<double> times = [];
            for (int i = 0; i < Math.Max(3, samples / 20); i++) times.AddRange(Walk(constraint, ids, mask));
            report.Add($"vocabulary{size}.{kind}.tokenMs", times);
        }
    }

    /// <summary>Milliseconds of each token: its mask, and the step.</summary>
    private static List<double> Walk(OutputConstraint constraint, int[] ids, ulong[] mask)
    {
        ConstraintState state = constraint.Begin();
        List<double> times = [];
        foreach (int id in ids)
        {
            long started = Stopwatch.GetTimestamp();
            bool isTaken = state.Mask(mask) && state.Advance(id);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            if (!isTaken) throw new InvalidOperationException($"token {id} of the document is not allowed");
        }
        return times;
    }

    private static double[] Times(int samples, Action work)
    {
        for (int i = 0; i < 10; i++) work();
        double[] times = new double[samples];
        for (int i = 0; i < samples; i++)
        {
            long started = Stopwatch.GetTimestamp();
            work();
            times[i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }
        return times;
    }

    private static string Wide(int count) => "{\"type\":\"object\",\"properties\":{" + string.Join(',', Enumerable.Range(0, count).Select(i => $"\"property{i}\":{{\"type\":\"string\"}}"))
        + "},\"additionalProperties\":false}";

    /// <summary>Bytes, then words and pieces of JSON from a seed.</summary>
    private static Tokenizer Made(int size)
    {
        Random random = new(1);
        Dictionary<string, int> vocabulary = [];
        for (int value = 0; value < 256; value++) vocabulary[$"<0x{value:X2}>"] = value;
        string[] joints = ["\",\"", "\":\"", "\": ", "\"}", "\"", "},{", "[", "]", ", "];
        while (vocabulary.Count < size)
        {
            string word = string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => (char)('a' + random.Next(26))));
            vocabulary.TryAdd(random.Next(20) == 0 ? word + joints[random.Next(joints.Length)] : random.Next(2) == 0 ? " " + word : word, vocabulary.Count);
        }
        return Tokenizer.Load(
            JsonSerializer.SerializeToUtf8Bytes(new
            {
                version = "1.0",
                decoder = new { type = "Sequence", decoders = new object[] { new { type = "ByteFallback" }, new { type = "Fuse" } } },
                model = new { type = "BPE", unk_token = (string?)null, byte_fallback = true, vocab = vocabulary, merges = Array.Empty<string>() },
            }),
            []);
    }
}
