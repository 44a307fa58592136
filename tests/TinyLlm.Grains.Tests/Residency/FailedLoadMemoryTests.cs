using System.Diagnostics;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Residency;

/// <summary>What failed loads leave in the process's memory.</summary>
[Collection(RunsAlone.Name)]
public sealed class FailedLoadMemoryTests
{
    private const string Weights = "model.safetensors";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Twenty loads that fail at their last chunk: a buffer that stays each time would show as 800 MB.</summary>
    [Fact]
    public async Task Acquire_LastChunkDamagedAgainAndAgain_FreesItsMemory()
    {
        await using TestHost host = new(1L << 30, encrypted: true);
        VersionAddress address = await host.StoreAsync(LargeModel(out long bytes));
        string path = Path.Combine(host.Files.TryGetLocalFolder(address.Owner, address.Version)!, Weights + ".sealed");
        await using (FileStream stored = new(path, FileMode.Open))
        {
            stored.Position = stored.Length - 1;
            int last = stored.ReadByte();
            stored.Position = stored.Length - 1;
            stored.WriteByte((byte)~last);
        }
        await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(address)); // what the first load keeps for the next ones
        long before = ResidentBytes();

        for (int i = 0; i < 20; i++) await Refusal.OfAsync(RequestError.ModelDamaged, () => host.TouchAsync(address));

        long grown = ResidentBytes() - before;
        Assert.True(grown < 4 * bytes, $"memory grew by {grown} bytes over 20 failed loads of {bytes}");
        Assert.Equal((0, 0L), (host.Host.Snapshot().Models, host.Host.Snapshot().ReservedBytes));
    }

    /// <summary>A model of some 40 MB.</summary>
    private static Dictionary<string, byte[]> LargeModel(out long bytes)
    {
        const int Vocabulary = 600_000;
        using TinyCheckpoint checkpoint = new();
        checkpoint.Config["vocab_size"] = Vocabulary;
        checkpoint.Config["tie_word_embeddings"] = true;
        checkpoint.Tensors.Remove("lm_head.weight");
        checkpoint.Set("model.embed_tokens.weight", [Vocabulary, 16], new float[Vocabulary * 16]);
        checkpoint.Write();
        Dictionary<string, byte[]> files = new(TinyModel.Files);
        foreach (string file in (string[])["config.json", Weights]) files[file] = File.ReadAllBytes(Path.Combine(checkpoint.Folder, file));
        bytes = files[Weights].Length;
        return files;
    }

    private static long ResidentBytes()
    {
        GC.Collect();
        using Process process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }
}
