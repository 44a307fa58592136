using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using TinyLlm.Engine;

namespace TinyLlm.Tests;

/// <summary>
/// A device without tensors. Its model continues every sequence with the position's number, so text shows what ran, or with what a test says. Each
/// forward passes a gate that a test may hold: held, it reports that the step began and waits to be let go. Caches know their ids and places, and
/// refuse keys of another place.
/// </summary>
internal sealed class SimulatedBackend(long budgetBytes = 1 << 30, string kind = "cpu") : IDecoderBackend
{
    private readonly SemaphoreSlim _gate = new(0);
    private readonly BlockingCollection<Step> _begun = [];
    private volatile bool _isGated;
    private long _liveTensors, _allocatedBytes;

    /// <summary>One forward pass: how many ids each of its sequences got.</summary>
    public sealed record Step(IReadOnlyList<int> Ids);

    /// <summary>What comes after these ids, before it is cut to the vocabulary.</summary>
    public delegate int Continuation(ReadOnlySpan<int> ids);

    public EngineDeviceInfo Device { get; } = new(kind, "simulated", budgetBytes);

    public long LiveTensors => Interlocked.Read(ref _liveTensors);

    /// <summary>Bytes of the caches and weights that exist now.</summary>
    public long AllocatedBytes => Interlocked.Read(ref _allocatedBytes);

    public Continuation Next { get; init; } = ids => ids.Length;

    /// <summary>Bytes of a cache per token.</summary>
    public long BytesPerToken { get; init; } = 1;

    /// <summary>Thrown by each forward for which it answers an exception.</summary>
    public Func<Step, Exception?> Fault { get; set; } = _ => null;

    /// <summary>Called by each forward with its number, on the loop's thread.</summary>
    public Action<Step> Stepped { get; set; } = _ => { };

    /// <summary>Called by each load before it does anything, on the load's thread.</summary>
    public Action Loads { get; set; } = () => { };

    public bool IsDisposed { get; private set; }

    /// <summary>From now on each forward waits for <see cref="Release"/>.</summary>
    public void Hold() => _isGated = true;

    /// <summary>Waits until a held forward has begun.</summary>
    public Step NextStep(CancellationToken cancellationToken) => _begun.Take(cancellationToken);

    /// <summary>Lets held forwards end.</summary>
    public void Release(int steps = 1) => _gate.Release(steps);

    /// <summary>Ends the holding.</summary>
    public void Open()
    {
        _isGated = false;
        _gate.Release(1 << 20);
    }

    public long WeightBytes(DecoderConfig config) => CheckpointLayout.WeightBytes(config, ComputePrecision.F32);

    public IDecoder Load(Checkpoint checkpoint)
    {
        Loads();
        Interlocked.Increment(ref _liveTensors);
        Interlocked.Add(ref _allocatedBytes, checkpoint.Facts.WeightBytes);
        return new Decoder(this, checkpoint);
    }

    public void Dispose() => IsDisposed = true;

    private void Pass(Step step)
    {
        Stepped(step);
        if (_isGated)
        {
            _begun.Add(step);
            _gate.Wait();
        }
        if (Fault(step) is Exception fault) throw fault;
    }

    private sealed class Decoder(SimulatedBackend device, Checkpoint checkpoint) : IDecoder
    {
        public DecoderConfig Config { get; } = checkpoint.Config;

        public ComputePrecision Precision => ComputePrecision.F32;

        public long WeightBytes { get; } = checkpoint.Facts.WeightBytes;

        public long CacheBytes(int tokens) => tokens * device.BytesPerToken;

        public IKeyValueCache CreateCache(int capacityTokens)
        {
            Interlocked.Increment(ref device._liveTensors);
            Interlocked.Add(ref device._allocatedBytes, capacityTokens * device.BytesPerToken);
            return new Cache(device, capacityTokens);
        }

        public void Forward(ReadOnlySpan<DecoderInput> batch, Span<float> logits)
        {
            int rows = 0;
            foreach (DecoderInput input in batch) rows += input.LogitCount;
            if (logits.Length != rows * Config.VocabularySize) throw new InvalidOperationException($"room for {logits.Length} logits, and the batch gives {rows} rows");
            Append(batch);
            logits.Clear();
            int row = 0;
            foreach (DecoderInput input in batch)
            {
                ReadOnlySpan<int> ids = CollectionsMarshal.AsSpan(((Cache)input.Cache).Ids);
                for (int length = ids.Length - input.LogitCount + 1; length <= ids.Length; length++, row++)
                    logits[row * Config.VocabularySize + device.Next(ids[..length]) % Config.VocabularySize] = 1;
            }
        }

        /// <summary>Every component of a position's hidden state is the position's number.</summary>
        public void Embed(ReadOnlySpan<DecoderInput> batch, Span<double> sums)
        {
            if (sums.Length != batch.Length * Config.HiddenSize) throw new InvalidOperationException($"room for {sums.Length} sums, and the batch gives {batch.Length} rows");
            Append(batch);
            for (int i = 0; i < batch.Length; i++)
            {
                double sum = 0;
                for (int position = batch[i].Cache.Length - batch[i].Ids.Length; position < batch[i].Cache.Length; position++) sum += position;
                sums.Slice(i * Config.HiddenSize, Config.HiddenSize).Fill(sum);
            }
        }

        public void Dispose()
        {
            Interlocked.Decrement(ref device._liveTensors);
            Interlocked.Add(ref device._allocatedBytes, -WeightBytes);
        }

        private void Append(ReadOnlySpan<DecoderInput> batch)
        {
            int[] counts = new int[batch.Length];
            for (int i = 0; i < counts.Length; i++) counts[i] = batch[i].Ids.Length;
            device.Pass(new Step(counts));
            for (int i = 0; i < counts.Length; i++)
            {
                Cache cache = (Cache)batch[i].Cache;
                ObjectDisposedException.ThrowIf(cache.IsDisposed, cache);
                if (cache.Origin != 0) throw new InvalidOperationException($"a text that begins at token {cache.Origin}");
                cache.Ids.AddRange(batch[i].Ids.Span);
                if (cache.Length > cache.Capacity) throw new InvalidOperationException($"{cache.Length} tokens in a cache for {cache.Capacity}");
            }
        }
    }

    private sealed class Cache(SimulatedBackend device, int capacity) : IKeyValueCache
    {
        public int Capacity { get; } = capacity;

        public int Length => Ids.Count;

        public List<int> Ids { get; } = [];

        /// <summary>The place in its text of the first token.</summary>
        public int Origin { get; private set; }

        public bool IsDisposed { get; private set; }

        public void Append(IKeyValueCache source, int first, int tokens)
        {
            Cache other = (Cache)source;
            CacheBounds.CheckAppend(this, other, first, tokens);
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            ObjectDisposedException.ThrowIf(other.IsDisposed, other);
            if (Length == 0) Origin = other.Origin + first;
            if (Origin + Length != other.Origin + first) throw new InvalidOperationException($"token {other.Origin + first} would become token {Origin + Length}");
            Ids.AddRange(other.Ids.GetRange(first, tokens));
        }

        public void Dispose()
        {
            if (IsDisposed) throw new InvalidOperationException("a cache was freed twice");
            IsDisposed = true;
            Interlocked.Decrement(ref device._liveTensors);
            Interlocked.Add(ref device._allocatedBytes, -Capacity * device.BytesPerToken);
        }
    }
}
