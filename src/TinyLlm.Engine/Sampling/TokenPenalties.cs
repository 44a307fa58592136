using System.Runtime.InteropServices;

namespace TinyLlm.Engine;

/// <summary>
/// Repetition, frequency and presence penalty of one sequence. Counts what was seen, so that a step costs as much as there are distinct ids, not
/// as the vocabulary has.
/// </summary>
internal sealed class TokenPenalties
{
    private readonly SamplingOptions _options;

    /// <summary>How often each id was generated; an id of the prompt alone is there with 0.</summary>
    private readonly Dictionary<int, int> _generated = [];

    private TokenPenalties(SamplingOptions options) => _options = options;

    /// <summary>Null when every penalty is off.</summary>
    public static TokenPenalties? Of(GenerationRequest request)
    {
        SamplingOptions options = request.Sampling;
        if (options is { PresencePenalty: 0, FrequencyPenalty: 0, RepetitionPenalty: 1 }) return null;
        TokenPenalties penalties = new(options);
        if (options.RepetitionPenalty == 1) return penalties;
        foreach (int id in request.PromptIds) penalties._generated[id] = 0;
        return penalties;
    }

    public void Count(int id) => CollectionsMarshal.GetValueRefOrAddDefault(_generated, id, out _)++;

    public void Apply(Span<float> logits)
    {
        foreach ((int id, int count) in _generated)
        {
            double logit = logits[id];
            logit = logit > 0 ? logit / _options.RepetitionPenalty : logit * _options.RepetitionPenalty;
            if (count > 0) logit -= _options.FrequencyPenalty * count + _options.PresencePenalty;
            logits[id] = (float)logit;
        }
    }
}
