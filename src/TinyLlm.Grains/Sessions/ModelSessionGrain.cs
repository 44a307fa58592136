using System.Diagnostics;
using System.Runtime.CompilerServices;
using Orleans.Placement;
using TinyLlm.Engine;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Telemetry;
using TinyLlm.Grains.Usage;

namespace TinyLlm.Grains.Sessions;

/// <inheritdoc cref="IModelSessionGrain"/>
/// <remarks>
/// Enumerations interleave, so nothing here is shared between them; admission is the engine's bounded queue. The steps are those of a
/// request's life: 3 verify the lease, 5 weights from the silo's model host, then render and tokenize on bounded workers, 6 the engine,
/// 7 tokens out.
/// </remarks>
[OnSiloOfKey]
[Immovable]
[GrainType("modelsession")]
internal sealed partial class ModelSessionGrain(ModelHost host, ModelTexts texts, LeaseSigner signer, PromptWorkers workers, SessionDrain drain, UsageMeter meter) : Grain, IModelSessionGrain
{
    public async IAsyncEnumerable<SessionEvent> Generate(
        ModelLease lease, SessionRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using IDisposable? place = drain.TryEnter();
        if (place is null)
        {
            yield return new SessionRefused { Reason = Leaving() };
            yield break;
        }
        // Current until the first event: what loads and generates for it is part of it.
        using Activity? span = GrainTraces.Source.StartActivity("session.generate");
        span?.SetTag("tinyllm.version", lease.Version.Value);
        (SessionEvent? other, RunningSession? admitted) = await AdmitAsync(lease, request, cancellationToken);
        if (other is SessionRefused refused) span?.SetStatus(ActivityStatusCode.Error).SetTag("error.type", refused.Reason.Error.ToString());
        if (other is not null)
        {
            yield return other;
            yield break;
        }

        using RunningSession session = admitted!;
        SessionUsage usage = new(meter, lease);
        usage.Admitted(session.PromptTokens, session.PrefillTime);
        span?.SetTag("gen_ai.usage.input_tokens", session.PromptTokens);
        yield return new SessionAdmitted { PromptTokens = session.PromptTokens, Waiting = host.QueuedRequests(lease.Version) };
        await foreach (SessionEvent item in session.ReadAsync(cancellationToken))
        {
            usage.Count(item);
            yield return item;
        }
    }

    private void Verify(ModelLease lease)
    {
        signer.Verify(lease, ModelRight.Infer);
        if (SessionKey.VersionOf(this.GetPrimaryKeyString()) != lease.Version) throw RequestException.NotFound("model");
    }

    private static RequestException Leaving() =>
        new(RequestError.Draining, "The silo of this model is leaving: try again.") { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>Steps 3 to 6. Never leaves a reference to the weights behind when it fails.</summary>
    private async Task<(SessionEvent?, RunningSession?)> AdmitAsync(ModelLease lease, SessionRequest request, CancellationToken cancellationToken)
    {
        ResidentHold? hold = null;
        try
        {
            Verify(lease);
            hold = await host.TryAcquireAsync(VersionAddress.Of(lease), Stay.Of(lease, request.KeepAlive), request.Place, request.ModelBytes, cancellationToken);
            if (hold is null) return (new SessionDeclined(), null);
            PreparedPrompt prompt = await workers.PrepareAsync(hold.Model, lease.Caller.Value, request, cancellationToken);
            Generation[] generations = hold.Start([.. Enumerable.Range(0, prompt.Choices).Select(choice => prompt.ToGenerationRequest(lease.Caller.Value, choice))]);
            // They are served in their order, and an earlier one may have to end before a later one gets its place.
            await RequireFirstTokenAsync(generations[0], cancellationToken);
            return (null, new RunningSession(hold, generations, prompt));
        }
        catch (RequestException refusal)
        {
            hold?.Dispose();
            return (new SessionRefused { Reason = refusal }, null);
        }
        catch
        {
            hold?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Waits until the engine made the first token, or ended without one: what fails while the sequence waits for a place is still a clean
    /// refusal, because nothing was answered yet.
    /// </summary>
    private static async Task RequireFirstTokenAsync(Generation generation, CancellationToken cancellationToken)
    {
        if (await generation.Tokens.WaitToReadAsync(cancellationToken)) return;
        GenerationEnd end = await generation.Completion.WaitAsync(cancellationToken);
        if (end.Reason != FinishReason.Failed) return;
        throw EngineFault.ToRefusal(end.Error) as Exception ?? new InvalidOperationException("The engine failed before the first token.", end.Error);
    }
}
