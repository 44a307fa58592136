using System.Diagnostics;
using TinyLlm.SafeTensors;

namespace TinyLlm.Bench.SafeTensors;

/// <summary>
/// Writing the 60 MB model, against a plain write of the same bytes in one piece; both to the disk, both with a new file and a rename.
/// </summary>
internal static class WriteBenchmark
{
    private const int WarmUps = 5;
    private const int Samples = 100;

    public static int Run(string[] arguments)
    {
        BenchArguments options = new(arguments);
        BenchReport report = new("safetensors-write", "a plain write of the same bytes with the same flush to the disk (plainMs)");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tinyllm-bench-");
        try
        {
            string path = Path.Combine(folder.FullName, "model.safetensors");
            IReadOnlyList<TensorSource> model = BenchFiles.SixtyMegabytes();
            SafeTensorsWriter.WriteFile(path, model, metadata: null);
            byte[] bytes = File.ReadAllBytes(path);

            // The two take turns, so that whatever else the disk does meets both.
            List<double> plain = [];
            List<double> writer = [];
            List<double> inMemory = [];
            MemoryStream memory = new(bytes.Length);
            for (int i = 0; i < WarmUps + Samples; i++)
            {
                double plainMs = Time(() => WritePlain(path, bytes));
                double writerMs = Time(() => SafeTensorsWriter.WriteFile(path, model, metadata: null));
                memory.SetLength(0);
                double memoryMs = Time(() => SafeTensorsWriter.Write(memory, model, metadata: null));
                if (i < WarmUps) continue;
                plain.Add(plainMs);
                writer.Add(writerMs);
                inMemory.Add(memoryMs);
            }

            report.Add("fileBytes", bytes.Length);
            report.Add("plainMs", plain);
            report.Add("writerMs", writer);
            report.Add("writerToMemoryMs", inMemory);
            report.Add("plainMBps", bytes.Length / 1e3 / Median(plain));
            report.Add("writerMBps", bytes.Length / 1e3 / Median(writer));
            report.Add("writerShareOfCeiling", Median(plain) / Median(writer));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return report.Finish(options.Out);
    }

    private static void WritePlain(string path, byte[] bytes)
    {
        string unfinished = path + ".plain";
        using (FileStream stream = new(unfinished, FileMode.CreateNew, FileAccess.Write))
        {
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }
        File.Move(unfinished, path, overwrite: true);
    }

    private static double Time(Action action)
    {
        long started = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static double Median(List<double> samples) => samples.Order().ElementAt(samples.Count / 2);
}
