using System.Collections.Concurrent;
using TinyLlm.Engine;

namespace TinyLlm.Tests;

/// <summary>
/// A device without tensors. Its model continues every sequence with the position's number, so text shows what ran. Each forward passes a gate
/// that a test may hold: held, it reports that the step began and waits to be let go.
/// </summary>
internal sealed class SimulatedBackend(long budgetBytes = 1 << 30) : IDecoderBackend
{
    private readonly SemaphoreSlim _gate = new(0);
    private readonly BlockingCollection<Step> _begun = [];
    private volatile bool _isGated;
    private long _liveTensors;

    /// <summary>One forward pass: how many ids each of its sequences got.</summary>
    public sealed record Step(IReadOnlyList<int> Ids);

    public EngineDeviceInfo Device { get; } = new("cpu", "simulated", budgetBytes);

    public long LiveTensors => Interlocked.Read(ref _liveTensors);

    /// <summary>Bytes of a cache per token.</summary>
    public long BytesPerToken { get; init; } = 1;

    /// <summary>Thrown by each forward for which it answers an exception.</summary>
    public Func<Step, Exception?> Fault { get; set; } = _ => null;

    /// <summary>Called by each forward with its number, on the loop's thread.</summary>
    public Action<Step> Stepped { get; set; } = _ => { };

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
        Interlocked.Increment(ref _liveTensors);
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

        public long WeightBytes { get; } = checkpoint.Facts.WeightBytes;

        public long CacheBytes(int tokens) => tokens * device.BytesPerToken;

        public IKeyValueCache CreateCache(int capacityTokens)
        {
            Interlocked.Increment(ref device._liveTensors);
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
                for (int next = input.Cache.Length - input.LogitCount + 1; next <= input.Cache.Length; next++, row++)
                    logits[row * Config.VocabularySize + next % Config.VocabularySize] = 1;
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

        public void Dispose() => Interlocked.Decrement(ref device._liveTensors);

        private void Append(ReadOnlySpan<DecoderInput> batch)
        {
            int[] counts = new int[batch.Length];
            for (int i = 0; i < counts.Length; i++) counts[i] = batch[i].Ids.Length;
            device.Pass(new Step(counts));
            for (int i = 0; i < counts.Length; i++)
            {
                Cache cache = (Cache)batch[i].Cache;
                ObjectDisposedException.ThrowIf(cache.IsDisposed, cache);
                cache.Length += counts[i];
                if (cache.Length > cache.Capacity) throw new InvalidOperationException($"{cache.Length} tokens in a cache for {cache.Capacity}");
            }
        }
    }

    private sealed class Cache(SimulatedBackend device, int capacity) : IKeyValueCache
    {
        public int Capacity { get; } = capacity;

        public int Length { get; set; }

        public bool IsDisposed { get; private set; }

        public void Append(IKeyValueCache source, int first, int tokens)
        {
            CacheBounds.CheckAppend(this, source, first, tokens);
            ObjectDisposedException.ThrowIf(IsDisposed, this);
            ObjectDisposedException.ThrowIf(((Cache)source).IsDisposed, source);
            Length += tokens;
        }

        public void Dispose()
        {
            if (IsDisposed) throw new InvalidOperationException("a cache was freed twice");
            IsDisposed = true;
            Interlocked.Decrement(ref device._liveTensors);
        }
    }
}
