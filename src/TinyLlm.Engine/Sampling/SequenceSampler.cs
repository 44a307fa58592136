namespace TinyLlm.Engine;

/// <summary>
/// What choosing the next token of one sequence remembers: its random numbers and what it said. Changes logits in the documented order,
/// then lets the shared <see cref="Sampler"/> choose. The loop's thread owns it.
/// </summary>
internal sealed class SequenceSampler(GenerationRequest request)
{
    private readonly SamplingOptions _options = request.Sampling;
    private readonly SequenceRandom _random = new(request.Sampling.Seed);
    private readonly TokenPenalties? _penalties = TokenPenalties.Of(request);
    private int _generated;

    /// <summary>The next token. Changes <paramref name="logits"/> (V).</summary>
    /// <exception cref="InvalidDataException">The logits are damaged.</exception>
    public GeneratedToken Next(Sampler sampler, Span<float> logits)
    {
        // Log-probabilities are the model's own, so they are of the logits before anything changed these.
        ReadOnlySpan<float> untouched = request.TopLogprobs is null ? default : sampler.Keep(logits);

        // 1. Bias. 2. Penalties. 3. No end before the least length. 4. Temperature, filters and chance.
        foreach ((int id, double bias) in _options.LogitBias) logits[id] = (float)(logits[id] + bias);
        _penalties?.Apply(logits);
        if (_generated < request.MinNewTokens)
        {
            foreach (int id in request.StopIds) logits[id] = float.NegativeInfinity;
        }
        int chosen = sampler.Sample(logits, _options, _random);

        _penalties?.Count(chosen);
        _generated++;
        return new GeneratedToken(chosen, request.TopLogprobs is { } top ? LogprobReader.Read(untouched, chosen, top) : null);
    }
}
