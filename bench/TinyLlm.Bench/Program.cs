using TinyLlm.Bench.Access;
using TinyLlm.Bench.Cluster;
using TinyLlm.Bench.Engine;
using TinyLlm.Bench.Placement;
using TinyLlm.Bench.SafeTensors;
using TinyLlm.Bench.Serve;
using TinyLlm.Bench.Storage;
using TinyLlm.Bench.Text;
using TinyLlm.Bench.Users;

// Every benchmark by name; each takes the arguments after it and answers the exit code.
Dictionary<string, Func<string[], int>> benchmarks = new(StringComparer.Ordinal)
{
    ["safetensors-validate"] = ValidateBenchmark.Run,
    ["safetensors-write"] = WriteBenchmark.Run,
    ["safetensors-fuzz"] = FuzzBenchmark.Run,
    ["access"] = AccessBenchmark.Run,
    ["cluster"] = ClusterBenchmark.RunPath,
    ["silos"] = ClusterBenchmark.RunSilos,
    ["loads"] = ClusterBenchmark.RunLoads,
    ["serve"] = ServeBenchmark.Run,
    ["engine"] = EngineBenchmark.Run,
    ["tokenize"] = TokenizeBenchmark.Run,
    ["schema"] = SchemaBenchmark.Run,
    ["load"] = LoadBenchmark.Run,
    ["commit"] = CommitBenchmark.Run,
    ["users"] = UsersBenchmark.Run,
    ["placement"] = PlacementBenchmark.Run,
};

if (args.Length > 0 && benchmarks.TryGetValue(args[0], out Func<string[], int>? benchmark)) return benchmark(args[1..]);

Console.Error.WriteLine("usage: dotnet run -c Release --project bench/TinyLlm.Bench -- BENCHMARK [--out DIR] [options]");
Console.Error.WriteLine($"BENCHMARK is one of: {string.Join(", ", benchmarks.Keys)}. --out DIR keeps the last line as DIR/BENCHMARK.json.");
return 2;
