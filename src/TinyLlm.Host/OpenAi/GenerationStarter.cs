using TinyLlm.Grains.Access;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;

namespace TinyLlm.Host.OpenAi;

/// <summary>
/// Steps 2 and 3 of a request's life: the owner's lease, then a model session; and the wait for its first event, so that a refusal still
/// becomes a status.
/// </summary>
internal sealed class GenerationStarter(ModelDirectory directory, SessionRouter router)
{
    /// <summary>The admitted generation; the caller disposes it, at any moment, and that ends it.</summary>
    public async Task<StartedGeneration> StartAsync(Caller caller, string model, SessionRequest request, CancellationToken cancellationToken)
    {
        GrantedModel granted = await directory.LeaseAsync(caller, ModelName.Parse(model), ModelRight.Infer);
        return new StartedGeneration(granted.Version, await router.StartAsync(granted.Lease, request, cancellationToken));
    }
}
