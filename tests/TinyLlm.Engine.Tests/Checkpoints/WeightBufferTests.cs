using TinyLlm.SafeTensors;
using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

public sealed class WeightBufferTests
{
    private static readonly int[] s_ids = [1, 7, 3, 40, 2, 9];

    [Theory]
    [InlineData(1, DType.F32)]
    [InlineData(3, DType.F32)]
    [InlineData(1, DType.BF16)]
    [InlineData(2, DType.F16)]
    public void Load_FilledBuffers_GivesTheLogitsOfTheMappedFile(int shards, DType dtype)
    {
        using TinyCheckpoint tiny = new();
        foreach (string name in tiny.Tensors.Keys.Where(_ => dtype != DType.F32).ToArray()) tiny.Shorten(name, dtype);
        tiny.Write(shards);
        using Checkpoint mapped = Checkpoint.Open(tiny.Folder), filled = Fill(tiny.Folder, out _);

        Assert.Equal(Logits(mapped), Logits(filled));
        Assert.Equal(mapped.Facts, filled.Facts);
    }

    [Fact]
    public void Dispose_LastDecoderGone_FreesTheBuffers()
    {
        using TinyCheckpoint tiny = new();
        tiny.Write();
        Checkpoint checkpoint = Fill(tiny.Folder, out WeightBuffer[] buffers);
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        IDecoder first = backend.Load(checkpoint), second = backend.Load(checkpoint);

        checkpoint.Dispose();
        first.Dispose();
        Assert.False(checkpoint.IsReleased);
        buffers[0].Slice(0, 8);
        second.Dispose();
        second.Dispose(); // a second time it does nothing

        Assert.True(checkpoint.IsReleased);
        Assert.Throws<ObjectDisposedException>(() => buffers[0].Slice(0, 8));
    }

    [Fact]
    public void Load_NothingUsedInPlace_FreesTheBuffersOnceLoaded()
    {
        using TinyCheckpoint tiny = new();
        foreach (string name in tiny.Tensors.Keys.ToArray()) tiny.Shorten(name, DType.F16);
        tiny.Write();
        Checkpoint checkpoint = Fill(tiny.Folder, out _);
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);

        Assert.False(checkpoint.IsReleased); // it could be loaded once more
        checkpoint.Dispose();

        Assert.True(checkpoint.IsReleased);
    }

    [Fact]
    public void Slice_BeyondTheFile_Throws()
    {
        using TinyCheckpoint tiny = new();
        tiny.Write();
        using Checkpoint checkpoint = Fill(tiny.Folder, out WeightBuffer[] buffers);
        WeightBuffer buffer = buffers[0];

        Assert.Equal(new FileInfo(Path.Combine(tiny.Folder, "model.safetensors")).Length, buffer.Length);
        Assert.Equal(8, buffer.Slice(buffer.Length - 8, 8).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Slice(buffer.Length - 7, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Slice(-1, 8));
    }

    [Fact]
    public void Create_FileThatWasNotChecked_Throws()
    {
        using TinyCheckpoint tiny = new(), other = new(seed: 2);
        tiny.Write();
        other.Write();
        CheckpointPlan plan = Plan(tiny.Folder);
        using WeightBuffer foreign = new(Plan(other.Folder).Headers[CheckpointPlan.WeightsName]);

        Assert.Throws<ArgumentException>(() => new Checkpoint(plan, new Dictionary<string, WeightFile>()));
        Assert.Throws<ArgumentException>(() => new Checkpoint(plan, new Dictionary<string, WeightFile> { [CheckpointPlan.WeightsName] = foreign }));
    }

    private static CheckpointPlan Plan(string folder)
    {
        string index = Path.Combine(folder, CheckpointPlan.IndexName);
        ShardedIndex? shards = CheckpointPlan.ParseIndex(File.Exists(index) ? File.ReadAllBytes(index) : null);
        Dictionary<string, SafeTensorsHeader> headers = [];
        foreach (string name in CheckpointPlan.FileNames(shards))
        {
            using SafeTensorsFile file = SafeTensorsFile.Open(Path.Combine(folder, name));
            headers[name] = file.Header;
        }
        return CheckpointPlan.Check(DecoderConfig.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json"))), shards, headers);
    }

    private static Checkpoint Fill(string folder, out WeightBuffer[] buffers)
    {
        CheckpointPlan plan = Plan(folder);
        Dictionary<string, WeightFile> files = [];
        foreach ((string name, SafeTensorsHeader header) in plan.Headers)
        {
            WeightBuffer buffer = new(header);
            byte[] bytes = File.ReadAllBytes(Path.Combine(folder, name));
            for (int offset = 0; offset < bytes.Length; offset += 1000)
            {
                int count = Math.Min(1000, bytes.Length - offset);
                bytes.AsMemory(offset, count).CopyTo(buffer.Slice(offset, count));
            }
            files[name] = buffer;
        }
        buffers = [.. files.Values.Cast<WeightBuffer>()];
        return new Checkpoint(plan, files);
    }

    private static float[] Logits(Checkpoint checkpoint)
    {
        using TorchBackend backend = new(new TorchBackendOptions { Device = "cpu" });
        using IDecoder decoder = backend.Load(checkpoint);
        using IKeyValueCache cache = decoder.CreateCache(s_ids.Length);
        float[] logits = new float[TinyCheckpoint.Vocabulary];
        decoder.Forward([new(cache, s_ids)], logits);
        return logits;
    }
}
