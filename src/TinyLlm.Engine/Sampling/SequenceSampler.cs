using TinyLlm.Text;

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
    private readonly ConstraintState? _constraint = request.Constraint?.Begin();
    private ulong[] _allowed = [];
    private int _generated;

    /// <summary>
    /// The next token, which may be a stop id; null: the constraint is met and lets nothing follow. Changes <paramref name="logits"/> (V).
    /// </summary>
    /// <exception cref="ModelOutputException">The logits are damaged, or the tokenizer has no token that the constraint allows.</exception>
    public GeneratedToken? Next(Sampler sampler, Span<float> logits)
    {
        // Log-probabilities are the model's own, so they are of the logits before anything changed these.
        ReadOnlySpan<float> untouched = request.TopLogprobs is null ? default : sampler.Keep(logits);

        // 1. Bias. 2. Penalties. 3. No end before the least length. 4. The constraint. 5. Temperature, filters and chance.
        foreach ((int id, double bias) in _options.LogitBias) logits[id] = (float)(logits[id] + bias);
        _penalties?.Apply(logits);
        if (_generated < request.MinNewTokens)
        {
            foreach (int id in request.StopIds) logits[id] = float.NegativeInfinity;
        }
        if (_constraint is not null && !Constrain(_constraint, logits)) return null;
        int chosen = sampler.Sample(logits, _options, _random);

        _penalties?.Count(chosen);
        if (!request.StopIds.Contains(chosen)) _constraint?.Advance(chosen);
        _generated++;
        return new GeneratedToken(chosen, request.TopLogprobs is { } top ? LogprobReader.Read(untouched, chosen, top) : null);
    }

    /// <summary>Leaves the allowed tokens, and the stop ids where the output is complete. False: it is complete, and there is neither.</summary>
    private bool Constrain(ConstraintState constraint, Span<float> logits)
    {
        if (_allowed.Length == 0) _allowed = new ulong[(logits.Length + 63) / 64];
        constraint.Mask(_allowed);
        bool mayEnd = constraint.IsComplete && _generated >= request.MinNewTokens, hasAny = false;
        foreach (int id in request.StopIds)
        {
            if (mayEnd) _allowed[id >> 6] |= 1ul << id;
            else _allowed[id >> 6] &= ~(1ul << id);
        }
        for (int id = 0; id < logits.Length; id++)
        {
            if ((_allowed[id >> 6] >> id & 1) == 0) logits[id] = float.NegativeInfinity;
            else hasAny |= logits[id] > float.NegativeInfinity;
        }
        if (hasAny) return true;
        return constraint.IsComplete
            ? false
            : throw new ModelOutputException(ModelOutputFault.NoAllowedToken, "no token of this model's vocabulary goes on an output of the asked format");
    }
}
