using System.Diagnostics;

namespace TinyLlm.SafeTensors.Tests.Fuzzing;

/// <summary>
/// Reads mutated files and fails on the first that is not handled as it must be. Input i depends on the seed and on i alone, so one is read again by
/// its number. For every input:
/// 1. it is accepted or refused with <see cref="SafeTensorsException"/>, nothing else, and the oracle says the same;
/// 2. what was accepted holds what the oracle found;
/// 3. reading it allocated less than <see cref="MaxAllocatedBytes"/> in all.
/// Samples are also read through a stream and from a mapped file, to the same verdict, and written again by the writer.
/// </summary>
internal static class FuzzRun
{
    public const long MaxAllocatedBytes = 64L << 20;

    private const int StreamEvery = 16;
    private const int RewriteEvery = 16;
    private const int FileEvery = 512;
    private const int SmallBytes = 1 << 20;

    public static FuzzReport Execute(long first, long count, ulong seed, Action<long>? progress)
    {
        long accepted = 0;
        Dictionary<SafeTensorsError, long> refusedBy = [];
        long maxAllocated = 0;
        long maxAllocatedInput = first;
        TimeSpan slowest = TimeSpan.Zero;
        string scratch = Path.GetTempFileName();
        try
        {
            for (long i = first; i < first + count; i++)
            {
                byte[] file = Input(i, seed);
                Reading reading = Read(file);
                try
                {
                    Check(i, file, reading, scratch);
                }
                catch (Exception cause)
                {
                    string verdict = reading.Refusal?.ToString() ?? "accepted";
                    throw new InvalidOperationException($"input {i} of seed {seed} ({file.Length} bytes, {verdict}): {cause.Message}", cause);
                }

                if (reading.Refusal is SafeTensorsError error) refusedBy[error] = refusedBy.GetValueOrDefault(error) + 1;
                else accepted++;
                if (reading.AllocatedBytes > maxAllocated) (maxAllocated, maxAllocatedInput) = (reading.AllocatedBytes, i);
                if (reading.Elapsed > slowest) slowest = reading.Elapsed;
                progress?.Invoke(i - first + 1);
            }
        }
        finally
        {
            File.Delete(scratch);
        }
        return new FuzzReport(count, accepted, refusedBy, maxAllocated, maxAllocatedInput, slowest);
    }

    /// <summary>The first inputs are the heavy files as they are, so that every run of any length has them.</summary>
    private static byte[] Input(long index, ulong seed)
    {
        if (index < FuzzSeeds.HeavyCount) return FuzzSeeds.Heavy((int)index);
        FuzzRandom random = new(seed ^ ((ulong)index * 0xd1342543de82ef95));
        byte[] file = FuzzSeeds.Next(random);
        int changes = file.Length > SmallBytes ? random.Below(2) : random.Below(4);
        return Mutator.Mutate(file, changes, random);
    }

    private static Reading Read(byte[] file)
    {
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        SafeTensorsHeader? header = null;
        SafeTensorsError? refusal = null;
        try
        {
            int headerBytes = SafeTensorsHeader.ParsePrefix(file, file.Length);
            header = SafeTensorsHeader.Parse(file.AsSpan(SafeTensorsLimits.PrefixBytes, headerBytes), file.Length);
        }
        catch (SafeTensorsException refused)
        {
            refusal = refused.Error;
        }
        return new Reading(header, refusal, GC.GetAllocatedBytesForCurrentThread() - allocatedBefore, Stopwatch.GetElapsedTime(started));
    }

    private static void Check(long index, byte[] file, Reading reading, string scratch)
    {
        Demand(reading.AllocatedBytes < MaxAllocatedBytes, $"allocated {reading.AllocatedBytes} bytes");
        Oracle.Contents? expected = Oracle.Judge(file);
        Demand(expected is null == reading.Header is null, $"the oracle says {(expected is null ? "illegal" : "legal")}");
        if (expected is not null) CheckContents(expected, reading.Header!);

        if (file.Length > SmallBytes) return;
        if (index % StreamEvery == 0) CheckStream(file, reading, 1 + (int)(index % 97));
        if (index % FileEvery == 0) CheckFile(file, reading, scratch);
        if (reading.Header is not null && index % RewriteEvery == 0) CheckRewrite(file, reading.Header);
    }

    private static void CheckContents(Oracle.Contents expected, SafeTensorsHeader header)
    {
        List<string> tensors = [.. header.Tensors.Select(Describe)];
        tensors.Sort(StringComparer.Ordinal);
        Demand(tensors.SequenceEqual(expected.Tensors), "other tensors than the oracle's");
        IEnumerable<KeyValuePair<string, string>> metadata = header.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal);
        Demand(metadata.SequenceEqual(expected.Metadata), "other metadata than the oracle's");
        Demand(header.Tensors.Zip(header.Tensors.Skip(1)).All(pair => pair.First.End == pair.Second.Begin), "tensors out of order");
        foreach (TensorInfo tensor in header.Tensors)
            Demand(header.TryGet(tensor.Name, out TensorInfo? found) && ReferenceEquals(found, tensor), "a tensor is not found by its name");
    }

    private static string Describe(TensorInfo tensor) =>
        $"{tensor.Name}|{tensor.DType.WireName()}|{string.Join(',', tensor.Shape)}|{tensor.Begin}|{tensor.End}";

    private static void CheckStream(byte[] file, Reading reading, int mostBytes)
    {
        SafeTensorsError? refusal = null;
        try
        {
            // The stream is in memory and completes every read at once: nothing is blocked on.
            SafeTensorsHeader.ReadAsync(new ShortReads(file, mostBytes), file.Length, CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (SafeTensorsException refused)
        {
            refusal = refused.Error;
        }
        Demand(refusal == reading.Refusal, $"as a stream: {refusal?.ToString() ?? "accepted"}");
    }

    private static void CheckFile(byte[] file, Reading reading, string scratch)
    {
        File.WriteAllBytes(scratch, file);
        SafeTensorsError? refusal = null;
        try
        {
            using SafeTensorsFile mapped = SafeTensorsFile.Open(scratch);
            foreach (TensorInfo tensor in mapped.Header.Tensors)
                Demand(mapped.GetBytes(tensor).SequenceEqual(Bytes(file, mapped.Header, tensor).Span), "other bytes in the mapped file");
        }
        catch (SafeTensorsException refused)
        {
            refusal = refused.Error;
        }
        Demand(refusal == reading.Refusal, $"as a file: {refusal?.ToString() ?? "accepted"}");
    }

    private static void CheckRewrite(byte[] file, SafeTensorsHeader header)
    {
        MemoryStream stream = new();
        IEnumerable<TensorSource> sources = header.Tensors.Select(
            tensor => new TensorSource(tensor.Name, tensor.DType, tensor.Shape, Bytes(file, header, tensor)));
        SafeTensorsWriter.Write(stream, [.. sources], header.Metadata);
        byte[] written = stream.ToArray();
        SafeTensorsHeader again = SafeTensorsHeader.Parse(written.AsSpan(8, SafeTensorsHeader.ParsePrefix(written, written.Length)), written.Length);
        Demand(again.Tensors.Length == header.Tensors.Length && again.Metadata.Count == header.Metadata.Count, "the writer lost something");
        foreach (TensorInfo tensor in header.Tensors)
        {
            Demand(again.TryGet(tensor.Name, out TensorInfo? copy) && copy.DType == tensor.DType, "the writer changed a tensor");
            Demand(copy!.Shape.SequenceEqual(tensor.Shape), "the writer changed a shape");
            Demand(Bytes(written, again, copy).Span.SequenceEqual(Bytes(file, header, tensor).Span), "the writer changed a tensor's bytes");
        }
    }

    private static ReadOnlyMemory<byte> Bytes(byte[] file, SafeTensorsHeader header, TensorInfo tensor) =>
        file.AsMemory((int)(header.DataOffset + tensor.Begin), (int)tensor.ByteCount);

    private static void Demand(bool rule, string failure)
    {
        if (!rule) throw new InvalidOperationException(failure);
    }

    private readonly record struct Reading(SafeTensorsHeader? Header, SafeTensorsError? Refusal, long AllocatedBytes, TimeSpan Elapsed);
}
