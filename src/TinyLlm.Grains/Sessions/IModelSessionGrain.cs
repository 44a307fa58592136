using TinyLlm.Grains.Access;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// Generates from one version of a model on a silo that has an accelerator. Has no durable state; the weights belong to the silo. Key:
/// <see cref="SessionKey"/>.
/// </summary>
[Alias("tinyllm.IModelSessionGrain")]
public interface IModelSessionGrain : IGrainWithStringKey
{
    /// <summary>
    /// Generates. The lease decides, and nothing else of the call. Ending the enumeration, or cancelling it, ends the generation and frees
    /// its place within two engine steps.
    /// </summary>
    [Alias("Generate")]
    IAsyncEnumerable<SessionEvent> Generate(ModelLease lease, SessionRequest request, CancellationToken cancellationToken = default);
}
