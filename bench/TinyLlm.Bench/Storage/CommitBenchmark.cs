using System.Diagnostics;
using System.Security.Cryptography;
using TinyLlm.Bench.Engine;
using TinyLlm.Grains.Models;
using TinyLlm.SafeTensors;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Storage;

/// <summary>
/// Committing an encrypted upload of 60 MB (ending its files, hashing their plaintext, writing the manifest, validating every tensor), against writing as
/// many bytes to the disk and hashing them. The two take turns.
/// </summary>
internal static class CommitBenchmark
{
    private const int WarmUps = 2;

    public static int Run(string[] arguments) => RunAsync(new BenchArguments(arguments, "--rounds")).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(BenchArguments options)
    {
        BenchReport report = new("commit", "writing and hashing the same bytes (writeAndHashMs)");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tinyllm-bench-");
        try
        {
            // 6 layers of 288, vocabulary 32,000: 61 MB.
            string source = BenchModels.Write(Path.Combine(folder.FullName, "source"), DType.F32, 6, 288, 768, 6, 6, 32000);
            await File.WriteAllBytesAsync(Path.Combine(source, "tokenizer.json"), TinyModel.Files()["tokenizer.json"]);
            byte[] bytes = await File.ReadAllBytesAsync(Path.Combine(source, "model.safetensors"));
            FileObjectStore store = new(Path.Combine(folder.FullName, "store"));

            List<double> plain = [], commit = [];
            for (int i = 0; i < WarmUps + options.Number("--rounds", 15); i++)
            {
                SealedModel model = await new SealedModel(store).SendAsync(source);
                long began = Stopwatch.GetTimestamp();
                WriteAndHash(Path.Combine(folder.FullName, "plain"), bytes);
                double plainMs = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                began = Stopwatch.GetTimestamp();
                ModelManifest manifest = await model.SealAsync();
                VersionFiles files = new(model.Files, model.Owner, model.Version, model.Key);
                await ModelValidator.ValidateAsync(files, model.Names, manifest.TotalBytes, CancellationToken.None);
                double commitMs = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                await model.Files.DeleteOwnerAsync(model.Owner, CancellationToken.None);
                if (i < WarmUps) continue;
                plain.Add(plainMs);
                commit.Add(commitMs);
            }
            report.Add("fileBytes", bytes.Length);
            report.Add("writeAndHashMs", plain);
            report.Add("commitMs", commit);
            report.Add("commitOverWriteAndHash", commit.Order().ElementAt(commit.Count / 2) / plain.Order().ElementAt(plain.Count / 2));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return report.Finish(options.Out);
    }

    private static void WriteAndHash(string path, byte[] bytes)
    {
        using (FileStream stream = new(path, FileMode.Create, FileAccess.Write))
        {
            stream.Write(bytes);
            stream.Flush(flushToDisk: true);
        }
        SHA256.HashData(bytes);
    }
}
