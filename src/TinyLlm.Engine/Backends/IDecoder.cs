namespace TinyLlm.Engine;

/// <summary>One resident model. B sequences, V vocabulary.</summary>
public interface IDecoder : IDisposable
{
    /// <summary>What the model is.</summary>
    DecoderConfig Config { get; }

    /// <summary>Bytes that its weights occupy, mapped or copied.</summary>
    long WeightBytes { get; }

    /// <summary>Bytes that a cache for this many tokens occupies.</summary>
    long CacheBytes(int tokens);

    /// <summary>An empty cache for at most this many tokens.</summary>
    IKeyValueCache CreateCache(int capacityTokens);

    /// <summary>
    /// Appends each input's ids to its cache and writes the logits of each input's last id: <paramref name="logits"/> is (B, V), row by row.
    /// The batch is ragged and may mix chunks of prompts with single decoded ids. No cache may occur twice.
    /// </summary>
    void Forward(ReadOnlySpan<DecoderInput> batch, Span<float> logits);
}
