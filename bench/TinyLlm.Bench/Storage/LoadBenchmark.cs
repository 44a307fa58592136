using System.Diagnostics;
using System.Security.Cryptography;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using TinyLlm.Bench.Engine;
using TinyLlm.Engine;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Residency;
using TinyLlm.SafeTensors;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Bench.Storage;

/// <summary>
/// Loading an encrypted model of 500 MB: from a folder, against reading the same file from end to end and then decrypting the same bytes on all cores;
/// from Azurite, where it is installed, against the client library's own parallel download of the same blob, which decrypts nothing: into memory that
/// was used before, and into fresh memory, as a load must (on a virtual machine the host may have to find it first, which can take longer than to
/// decrypt what is put there). The processor time of this process tells what each costs beside the waiting for Azurite, which keeps one core busy.
/// All take turns in one run, all files are in the system's cache.
/// </summary>
internal static class LoadBenchmark
{
    private const int WarmUps = 1;
    private const int ReadBytes = 1 << 20;

    /// <summary>As many as the loader has.</summary>
    private static readonly int s_parallelism = Math.Max(4, Environment.ProcessorCount);

    public static int Run(string[] arguments) => RunAsync(new BenchArguments(arguments, "--rounds", "--azurite-rounds", "--layers")).GetAwaiter().GetResult();

    private static async Task<int> RunAsync(BenchArguments options)
    {
        BenchReport report = new("load", "a folder: reading the file once (readMs) and decrypting its bytes on all cores (decryptMs); Azurite: the client library's download, into fresh memory as a load's is");
        DirectoryInfo folder = Directory.CreateTempSubdirectory("tinyllm-bench-");
        try
        {
            string source = BenchModels.Write(Path.Combine(folder.FullName, "source"), DType.F32, (int)options.Number("--layers", 28), 576, 1536, 9, 3, 49152);
            await FromFolderAsync(report, source, Path.Combine(folder.FullName, "store"), (int)options.Number("--rounds", 9));
            await FromAzuriteAsync(report, source, (int)options.Number("--azurite-rounds", 7));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        return report.Finish(options.Out);
    }

    private static async Task FromFolderAsync(BenchReport report, string source, string root, int rounds)
    {
        FileObjectStore store = new(root);
        SealedModel model = await new SealedModel(store).SendAsync(source);
        await model.SealAsync();
        string path = store.TryGetLocalPath(model.WeightsObject) ?? throw new InvalidOperationException("the weights are not there");
        byte[] stored = Encrypted(new FileInfo(path).Length);

        List<double> read = [], decrypt = [], load = [];
        for (int i = 0; i < WarmUps + rounds; i++)
        {
            double readMs = Time(() => Read(path)), decryptMs = Time(() => Decrypt(stored)), loadMs = await TimeAsync(() => LoadAsync(model));
            if (i < WarmUps) continue;
            read.Add(readMs);
            decrypt.Add(decryptMs);
            load.Add(loadMs);
        }
        report.Add("fileBytes", stored.Length);
        report.Add("readMs", read);
        report.Add("decryptMs", decrypt);
        report.Add("loadMs", load);
        report.Add("loadMBps", stored.Length / 1e3 / Median(load));
        report.Add("speedShareOfReadingThenDecrypting", (Median(read) + Median(decrypt)) / Median(load));
    }

    private static async Task FromAzuriteAsync(BenchReport report, string source, int rounds)
    {
        if (!AzuriteProcess.IsInstalled)
        {
            Console.WriteLine("Azurite is not installed in tests/npm: its part is left out");
            return;
        }
        await using AzuriteProcess azurite = await AzuriteProcess.StartAsync(CancellationToken.None);
        BlobContainerClient container = new(azurite.ConnectionString, "bench");
        SealedModel model = await new SealedModel(await AzureBlobObjectStore.OpenAsync(container, CancellationToken.None)).SendAsync(source);
        await model.SealAsync();
        BlobClient blob = container.GetBlobClient(model.WeightsObject);
        using MemoryStream destination = new((int)(await blob.GetPropertiesAsync()).Value.ContentLength);
        BlobDownloadToOptions options = new()
        {
            TransferOptions = new StorageTransferOptions { MaximumConcurrency = s_parallelism, InitialTransferSize = 4 << 20, MaximumTransferSize = 4 << 20 },
        };

        Measurement download = new(), fresh = new(), load = new();
        for (int i = 0; i < WarmUps + rounds; i++)
        {
            destination.Position = 0;
            await download.TakeAsync(() => blob.DownloadToAsync(destination, options));
            await fresh.TakeAsync(async () =>
            {
                using MemoryStream own = new(destination.Capacity);
                await blob.DownloadToAsync(own, options);
            });
            await load.TakeAsync(() => LoadAsync(model));
        }
        download.Report(report, "azuriteDownload");
        fresh.Report(report, "azuriteDownloadFresh");
        load.Report(report, "azuriteLoad");
        report.Add("azuriteLoadOverDownload", load.MedianMs / download.MedianMs);
        report.Add("azuriteLoadOverDownloadFresh", load.MedianMs / fresh.MedianMs);
    }

    /// <summary>Time and processor time of something done again and again; the first time is the warm-up.</summary>
    private sealed class Measurement
    {
        private readonly List<double> _ms = [];
        private readonly List<double> _cpuMs = [];

        public double MedianMs => Median(_ms[WarmUps..]);

        public async Task TakeAsync(Func<Task> action)
        {
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            _ms.Add(await TimeAsync(action));
            _cpuMs.Add((Environment.CpuUsage.TotalTime - cpu).TotalMilliseconds);
        }

        public void Report(BenchReport report, string name)
        {
            report.Add($"{name}Ms", _ms[WarmUps..]);
            report.Add($"{name}CpuMs", _cpuMs[WarmUps..]);
        }
    }

    /// <summary>What a silo does, up to where the decoder takes the weights.</summary>
    private static async Task LoadAsync(SealedModel model)
    {
        using WeightLoader loader = new(new VersionFiles(model.Files, model.Owner, model.Version, model.Key), model.Names);
        CheckpointPlan plan = await loader.PlanAsync(CancellationToken.None);
        using Checkpoint checkpoint = await loader.LoadAsync(plan, CancellationToken.None);
    }

    private static void Read(string path)
    {
        using FileStream file = new(path, new FileStreamOptions { BufferSize = 0, Options = FileOptions.SequentialScan });
        byte[] buffer = new byte[ReadBytes];
        while (file.Read(buffer) > 0)
        {
        }
    }

    /// <summary>As many encrypted bytes as the file has, in memory.</summary>
    private static byte[] Encrypted(long length)
    {
        byte[] stored = new byte[length], plaintext = RandomNumberGenerator.GetBytes(EncryptedLayout.ChunkBytes);
        using AesGcm aes = new(new byte[32], EncryptedLayout.TagBytes);
        for (int offset = 0; offset + EncryptedLayout.EncryptedChunkBytes <= stored.Length; offset += EncryptedLayout.EncryptedChunkBytes)
        {
            Span<byte> chunk = stored.AsSpan(offset, EncryptedLayout.EncryptedChunkBytes);
            aes.Encrypt(new byte[12], plaintext, chunk[..EncryptedLayout.ChunkBytes], chunk[EncryptedLayout.ChunkBytes..]);
        }
        return stored;
    }

    private static void Decrypt(byte[] stored)
    {
        int cores = Environment.ProcessorCount, chunks = stored.Length / EncryptedLayout.EncryptedChunkBytes;
        Parallel.For(0, cores, new ParallelOptions { MaxDegreeOfParallelism = cores }, core =>
        {
            using AesGcm aes = new(new byte[32], EncryptedLayout.TagBytes);
            byte[] nonce = new byte[12], plaintext = new byte[EncryptedLayout.ChunkBytes];
            for (int chunk = core; chunk < chunks; chunk += cores)
            {
                ReadOnlySpan<byte> bytes = stored.AsSpan(chunk * EncryptedLayout.EncryptedChunkBytes, EncryptedLayout.EncryptedChunkBytes);
                aes.Decrypt(nonce, bytes[..EncryptedLayout.ChunkBytes], bytes[EncryptedLayout.ChunkBytes..], plaintext);
            }
        });
    }

    private static double Time(Action action)
    {
        long started = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static async Task<double> TimeAsync(Func<Task> action)
    {
        long started = Stopwatch.GetTimestamp();
        await action();
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static double Median(List<double> samples) => samples.Order().ElementAt(samples.Count / 2);
}
