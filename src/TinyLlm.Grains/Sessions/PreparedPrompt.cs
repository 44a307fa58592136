using System.Collections.Immutable;
using TinyLlm.Engine;

namespace TinyLlm.Grains.Sessions;

/// <summary>A request after its prompt became ids that fit the model's context.</summary>
internal sealed record PreparedPrompt(
    ImmutableArray<int> Ids, int MaxNewTokens, ImmutableArray<int> StopIds, ImmutableArray<string> Stop, SamplingOptions Sampling)
{
    public GenerationRequest ToGenerationRequest(string caller) => new()
    {
        PromptIds = Ids,
        Sampling = Sampling,
        MaxNewTokens = MaxNewTokens,
        StopIds = StopIds,
        Caller = caller,
    };
}
