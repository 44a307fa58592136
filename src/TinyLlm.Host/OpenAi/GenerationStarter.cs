using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;
using TinyLlm.Host.Streams;
using TinyLlm.Host.Telemetry;

namespace TinyLlm.Host.OpenAi;

/// <summary>
/// Steps 2 and 3 of a request's life: the owner's lease, then a model session; and the wait for its first event, so that a refusal still
/// becomes a status.
/// </summary>
internal sealed class GenerationStarter(RunningStreams streams, SessionRouter router)
{
    /// <summary>The admitted generation; the caller disposes it, at any moment, and that ends it.</summary>
    public async Task<StartedGeneration> StartAsync(HttpContext http, Caller caller, string model, SessionRequest request, GenerationTimer timer)
    {
        RunningStream stream = await streams.OpenAsync(http, caller, ModelName.Parse(model), StreamSize.Of(request));
        CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stream.Cut);
        try
        {
            SessionRequest bounded = request with
            {
                TokenAllowance = stream.Granted.MaxTokens is { } most ? (int)Math.Min(most, int.MaxValue) : null,
                ModelBytes = stream.Granted.Version.Facts.StoredBytes,
            };
            RoutedSession session = await router.StartAsync(stream.Granted.Lease, bounded, ended.Token);
            return new StartedGeneration(session, stream, ended, timer);
        }
        catch (Exception exception)
        {
            ended.Dispose();
            await stream.DisposeAsync();
            if (exception is OperationCanceledException && stream.Cut.IsCancellationRequested) throw RunningStream.Refusal();
            throw;
        }
    }
}
