using Microsoft.Extensions.Logging.Abstractions;
using TinyLlm.SafeTensors;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

[Collection(TorchTests.Name)]
public sealed class TorchDecoderTests(ITestOutputHelper output)
{
    private const double RelativeTolerance = 1e-4;

    private static readonly int[] s_ids = [.. Enumerable.Range(0, 90).Select(i => i * 7 % TinyCheckpoint.Vocabulary)];

    /// <summary>Prompts in one piece, in chunks, alone and beside others of other lengths: the same logits to the batch noise of F32.</summary>
    [Fact]
    public void Forward_ChunksAndRaggedBatches_AgreeWithWhole()
    {
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        float[] whole = Run(decoder, [90]);
        double largest = 0;
        foreach (int[] chunks in (int[][])[[1, 89], [30, 30, 30], [89, 1], [.. Enumerable.Repeat(1, 90)]])
            largest = Math.Max(largest, Difference(whole, Run(decoder, chunks)));

        using IKeyValueCache first = decoder.CreateCache(90), second = decoder.CreateCache(90), third = decoder.CreateCache(10);
        float[] logits = new float[3 * TinyCheckpoint.Vocabulary];
        decoder.Forward([new(first, s_ids.AsMemory(0, 40)), new(second, s_ids.AsMemory(0, 1)), new(third, s_ids.AsMemory(3, 10))], logits);
        decoder.Forward([new(second, s_ids.AsMemory(1, 89)), new(first, s_ids.AsMemory(40, 50))], logits.AsSpan(0, 2 * TinyCheckpoint.Vocabulary));
        largest = Math.Max(largest, Difference(whole, logits[..TinyCheckpoint.Vocabulary]));
        largest = Math.Max(largest, Difference(whole, logits[TinyCheckpoint.Vocabulary..(2 * TinyCheckpoint.Vocabulary)]));
        output.WriteLine($"largest difference {largest:e2}, tolerance {RelativeTolerance:e2}");
        Assert.InRange(largest, 0, RelativeTolerance);
        Assert.Equal((90, 90, 10), (first.Length, second.Length, third.Length));
    }

    /// <summary>A change of the file shows in the logits of a loaded model: its weights are the file's pages.</summary>
    [Fact]
    public void Load_F32_IsNotCopied()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "other systems lock a mapped file against writing");
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        Assert.Contains(Run(decoder, [90]), logit => logit != 0);
        using (FileStream file = new(Path.Combine(tiny.Folder, "model.safetensors"), FileMode.Open, FileAccess.Write))
        {
            TensorInfo head = checkpoint.Info("lm_head.weight");
            file.Position = file.Length - (checkpoint.Facts.WeightBytes - head.Begin);
            file.Write(new byte[head.ByteCount]);
        }
        Assert.All(Run(decoder, [90]), logit => Assert.Equal(0, logit));
    }

    /// <summary>An embedded header of a length that is no multiple of 4 puts every tensor off its alignment.</summary>
    [Fact]
    public void Forward_UnalignedFile_EqualsNaive()
    {
        using TinyCheckpoint tiny = new();
        string path = Path.Combine(tiny.Write(), "model.safetensors");
        byte[] aligned = File.ReadAllBytes(path);
        int length = BitConverter.ToInt32(aligned);
        byte[] shifted = [.. BitConverter.GetBytes((long)length + 1), .. aligned[8..(8 + length)], (byte)' ', .. aligned[(8 + length)..]];
        File.WriteAllBytes(path, shifted);
        CompareFolder(tiny.Folder);
    }

    [Fact]
    public void Forward_WrongInputs_AreRefusedBeforeAnyWork()
    {
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        using IKeyValueCache cache = decoder.CreateCache(4);
        float[] logits = new float[TinyCheckpoint.Vocabulary];
        Assert.Throws<ArgumentException>(() => decoder.Forward([], []));
        Assert.Throws<ArgumentException>(() => decoder.Forward([new(cache, new int[1])], logits.AsSpan(1)));
        Assert.Throws<ArgumentException>(() => decoder.Forward([new(cache, Array.Empty<int>())], logits));
        Assert.Throws<ArgumentException>(() => decoder.Forward([new(cache, new int[5])], logits));
        Assert.Throws<ArgumentException>(() => decoder.Forward([new(cache, new[] { TinyCheckpoint.Vocabulary })], logits));
        Assert.Throws<ArgumentException>(() => decoder.Forward([new(cache, new[] { -1 })], logits));
        Assert.Equal(0, cache.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => decoder.CreateCache(TinyCheckpoint.Context + 1));
        Assert.Equal(2L * 2 * 2 * 4 * 4 * 10, decoder.CacheBytes(10));
    }

    /// <summary>Rows of several inputs of one batch, each asking for another part of them.</summary>
    [Fact]
    public void Forward_RowsAskedFor_EqualThoseOfShorterPrompts()
    {
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        using IKeyValueCache all = decoder.CreateCache(20), none = decoder.CreateCache(20), last = decoder.CreateCache(20);
        float[] logits = new float[6 * TinyCheckpoint.Vocabulary];
        decoder.Forward([new(all, s_ids.AsMemory(0, 5), LogitRows.All), new(none, s_ids.AsMemory(0, 9), LogitRows.None), new(last, s_ids.AsMemory(0, 7))], logits);
        decoder.Forward([new(all, s_ids.AsMemory(5, 1), LogitRows.None)], []);
        Assert.Equal((6, 9, 7), (all.Length, none.Length, last.Length));
        double largest = 0;
        foreach ((int row, int length) in (ReadOnlySpan<(int, int)>)[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 7)])
            largest = Math.Max(largest, Difference(Run(decoder, [length]), logits[(row * TinyCheckpoint.Vocabulary)..((row + 1) * TinyCheckpoint.Vocabulary)]));
        output.WriteLine($"largest difference {largest:e2}, tolerance {RelativeTolerance:e2}");
        Assert.InRange(largest, 0, RelativeTolerance);
        Assert.Throws<ArgumentException>(() => decoder.Forward([new(all, s_ids.AsMemory(6, 2), LogitRows.All)], logits.AsSpan(0, TinyCheckpoint.Vocabulary)));
    }

    /// <summary>The sums of chunks, beside another sequence, add up to that of the whole; the output matrix of it gives the logits of all rows, summed.</summary>
    [Fact]
    public void Embed_Chunks_SumToWhatTheHeadMakesTheLogitsOf()
    {
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        const int rows = 40, hidden = 16;
        using IKeyValueCache whole = decoder.CreateCache(rows), first = decoder.CreateCache(rows), other = decoder.CreateCache(rows);
        float[] logits = new float[rows * TinyCheckpoint.Vocabulary];
        decoder.Forward([new(whole, s_ids.AsMemory(0, rows), LogitRows.All)], logits);
        double[] begin = new double[2 * hidden], end = new double[hidden];
        decoder.Embed([new(first, s_ids.AsMemory(0, 13)), new(other, s_ids.AsMemory(3, 8))], begin);
        decoder.Embed([new(first, s_ids.AsMemory(13, rows - 13))], end);
        Assert.Equal((rows, 8), (first.Length, other.Length));
        float[] head = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tiny.Tensors["lm_head.weight"].Bytes).ToArray();
        double largest = 0, scale = 0;
        for (int id = 0; id < TinyCheckpoint.Vocabulary; id++)
        {
            double expected = Enumerable.Range(0, rows).Sum(row => (double)logits[row * TinyCheckpoint.Vocabulary + id]);
            double actual = Enumerable.Range(0, hidden).Sum(i => (begin[i] + end[i]) * head[id * hidden + i]);
            largest = Math.Max(largest, Math.Abs(expected - actual));
            scale = Math.Max(scale, Math.Abs(expected));
        }
        output.WriteLine($"largest difference {largest / scale:e2}, tolerance {RelativeTolerance:e2}");
        Assert.InRange(largest / scale, 0, RelativeTolerance);
        Assert.Throws<ArgumentException>(() => decoder.Embed([new(other, s_ids.AsMemory(0, 1))], begin));
    }

    /// <summary>A prefix goes through blocks of its own, which outlive the cache it came from, into a fresh cache, and the sequence goes on there.</summary>
    [Fact]
    public void Append_PrefixInBlocks_ContinuesAsComputed()
    {
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        float[] whole = Run(decoder, [90]), logits = new float[TinyCheckpoint.Vocabulary];
        using IKeyValueCache first = decoder.CreateCache(16), second = decoder.CreateCache(16), fresh = decoder.CreateCache(90);
        using (IKeyValueCache origin = decoder.CreateCache(90))
        {
            decoder.Forward([new(origin, s_ids.AsMemory(0, 40))], logits);
            first.Append(origin, 0, 16);
            second.Append(origin, 16, 16);
            Assert.Throws<ArgumentException>(() => second.Append(origin, 32, 1));
            Assert.Throws<ArgumentException>(() => fresh.Append(origin, 32, 9));
            Assert.Throws<ArgumentOutOfRangeException>(() => fresh.Append(origin, -1, 1));
            Assert.Throws<ArgumentOutOfRangeException>(() => fresh.Append(origin, 0, 0));
        }
        long before = backend.LiveTensors;
        fresh.Append(first, 0, 16);
        fresh.Append(second, 0, 16);
        Assert.Equal(before, backend.LiveTensors);
        Assert.Equal((16, 16, 32), (first.Length, second.Length, fresh.Length));
        decoder.Forward([new(fresh, s_ids.AsMemory(32, 58))], logits);
        double largest = Difference(whole, logits);
        output.WriteLine($"largest difference {largest:e2}, tolerance {RelativeTolerance:e2}");
        Assert.InRange(largest, 0, RelativeTolerance);
    }

    [Theory]
    [InlineData("gpu")]
    [InlineData("cuda:x")]
    [InlineData("cuda:99")]
    public void Backend_NoSuchDevice_SaysWhatThereIs(string device)
    {
        ArgumentException thrown = Assert.Throws<ArgumentException>(() => new TorchBackend(new TorchBackendOptions { Device = device }));
        Assert.Contains($"'{device}'", thrown.Message, StringComparison.Ordinal);
    }

    /// <summary>1,000 generations cancelled at different moments, then unloading: no tensor stays.</summary>
    [Fact]
    public async Task Loop_ThousandCancelledGenerations_LeaveNoTensor()
    {
        using TinyCheckpoint tiny = new();
        using Checkpoint checkpoint = Checkpoint.Open(tiny.Write());
        TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        long before = backend.LiveTensors;
        await using DeviceLoop loop = new(backend, new DeviceLoopOptions { MaxWaiting = 1000 }, TimeProvider.System, NullLogger<DeviceLoop>.Instance);
        ResidentModel model = await loop.LoadAsync(checkpoint, TestContext.Current.CancellationToken);
        long loaded = backend.LiveTensors;
        List<Generation> generations = [];
        for (int i = 0; i < 1000; i++)
        {
            generations.Add(loop.Start(model, new GenerationRequest { PromptIds = [1, 2, 3], MaxNewTokens = 100 }));
            if (i % 3 == 0) await generations[^1].Tokens.ReadAsync(TestContext.Current.CancellationToken);
            generations[i - i % 2].Cancel();
            generations[i].Cancel();
        }
        GenerationEnd[] ends = await Task.WhenAll(generations.Select(generation => generation.Completion));
        Assert.All(ends, end => Assert.Equal(FinishReason.Cancelled, end.Reason));
        await loop.ForgetAsync("");
        LoopSnapshot snapshot = loop.Snapshot();
        Assert.Equal((0, 0, 0L, loaded), (snapshot.RunningSequences, snapshot.WaitingSequences, snapshot.ReservedBytes, snapshot.LiveTensors));
        await loop.UnloadAsync(model);
        Assert.Equal(before, backend.LiveTensors);
    }

    private void CompareFolder(string folder)
    {
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        double[] expected = NaiveDecoder.Logits(folder, s_ids)[^1];
        double largest = Difference([.. expected.Select(logit => (float)logit)], Run(decoder, [50, 1, 39]));
        output.WriteLine($"largest difference {largest:e2}, tolerance {RelativeTolerance:e2}");
        Assert.InRange(largest, 0, RelativeTolerance);
    }

    private static float[] Run(IDecoder decoder, int[] chunks)
    {
        using IKeyValueCache cache = decoder.CreateCache(s_ids.Length);
        float[] logits = new float[decoder.Config.VocabularySize];
        foreach (int chunk in chunks) decoder.Forward([new DecoderInput(cache, s_ids.AsMemory(cache.Length, chunk))], logits);
        return logits;
    }

    /// <summary>Largest difference relative to the largest logit.</summary>
    private static double Difference(float[] expected, float[] actual) =>
        expected.Zip(actual, (x, y) => Math.Abs(x - (double)y)).Max() / expected.Max(Math.Abs);
}
