namespace TinyLlm.Engine;

/// <summary>One resident model. B sequences, C hidden size, V vocabulary.</summary>
public interface IDecoder : IDisposable
{
    /// <summary>What the model is.</summary>
    DecoderConfig Config { get; }

    /// <summary>What its matrices are kept in.</summary>
    ComputePrecision Precision { get; }

    /// <summary>Bytes that its weights occupy, mapped or copied.</summary>
    long WeightBytes { get; }

    /// <summary>Bytes that a cache for this many tokens occupies.</summary>
    long CacheBytes(int tokens);

    /// <summary>An empty cache for at most this many tokens.</summary>
    IKeyValueCache CreateCache(int capacityTokens);

    /// <summary>
    /// Appends each input's ids to its cache and writes the logits that the inputs ask for: <paramref name="logits"/> is (R, V), the inputs in
    /// order and each one's rows in order, R the sum of their <see cref="DecoderInput.LogitCount"/>.
    /// The batch is ragged and may mix chunks of prompts with single decoded ids. No cache may occur twice.
    /// </summary>
    void Forward(ReadOnlySpan<DecoderInput> batch, Span<float> logits);

    /// <summary>
    /// Appends each input's ids to its cache and writes the sum, over these ids, of their hidden states after the final norm:
    /// <paramref name="sums"/> is (B, C). The mean over a text is the sum of its chunks' sums over its number of ids. Multiplies no output matrix;
    /// the inputs' <see cref="DecoderInput.Logits"/> do not matter.
    /// </summary>
    void Embed(ReadOnlySpan<DecoderInput> batch, Span<double> sums);
}
