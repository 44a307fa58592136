using System.Diagnostics;
using TinyLlm.SafeTensors;

namespace TinyLlm.Bench.SafeTensors;

/// <summary>
/// From a path to validated tensors: a 60 MB file of 300 tensors, and a file of 65,536 tensors. Beside each stands the plain read of the header's
/// bytes, which nobody can validate without.
/// </summary>
internal static class ValidateBenchmark
{
    private const int WarmUps = 50;
    private const int Samples = 500;

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments);
        BenchReport report = new(
            "safetensors-validate",
            "reading the header's bytes (readHeaderMs), since the data of a file are never touched; the target for 60 MB is 5 ms beyond it");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tinyllm-bench-");
        try
        {
            Measure(report, "60MB", BenchFiles.SixtyMegabytes(), Path.Combine(folder.FullName, "sixty.safetensors"));
            Measure(report, "65536Tensors", BenchFiles.MostTensors(), Path.Combine(folder.FullName, "most.safetensors"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return report.Finish(options.Out);
    }

    private static void Measure(BenchReport report, string name, IReadOnlyList<TensorSource> model, string path)
    {
        SafeTensorsWriter.WriteFile(path, model, metadata: null);
        byte[] header = ReadHeader(path);
        long fileLength = new FileInfo(path).Length;
        report.Add($"{name}.fileBytes", fileLength);
        report.Add($"{name}.headerBytes", header.Length);

        double[] read = Time(() => ReadHeader(path));
        double[] open = Time(() => SafeTensorsFile.Open(path).Dispose());
        report.Add($"{name}.readHeaderMs", read);
        report.Add($"{name}.parseMs", Time(() => SafeTensorsHeader.Parse(header, fileLength)));
        report.Add($"{name}.openMs", open);
        report.Add($"{name}.openBeyondReadMs", Median(open) - Median(read));

        long before = GC.GetAllocatedBytesForCurrentThread();
        SafeTensorsFile.Open(path).Dispose();
        report.Add($"{name}.openAllocatedBytes", GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static byte[] ReadHeader(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] prefix = new byte[SafeTensorsLimits.PrefixBytes];
        file.ReadExactly(prefix);
        byte[] header = new byte[SafeTensorsHeader.ParsePrefix(prefix, file.Length)];
        file.ReadExactly(header);
        return header;
    }

    private static double[] Time(Action action)
    {
        for (int i = 0; i < WarmUps; i++) action();
        double[] milliseconds = new double[Samples];
        for (int i = 0; i < Samples; i++)
        {
            long started = Stopwatch.GetTimestamp();
            action();
            milliseconds[i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }
        return milliseconds;
    }

    private static double Median(double[] samples) => samples.Order().ElementAt(samples.Length / 2);
}
