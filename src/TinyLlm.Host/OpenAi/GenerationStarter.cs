using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;
using TinyLlm.Host.Streams;

namespace TinyLlm.Host.OpenAi;

/// <summary>
/// Steps 2 and 3 of a request's life: the owner's lease, then a model session; and the wait for its first event, so that a refusal still
/// becomes a status.
/// </summary>
internal sealed class GenerationStarter(RunningStreams streams, IGrainFactory grains)
{
    /// <summary>The admitted generation; the caller disposes it, at any moment, and that ends it.</summary>
    public async Task<StartedGeneration> StartAsync(HttpContext http, Caller caller, string model, SessionRequest request)
    {
        RunningStream stream = await streams.OpenAsync(http, caller, ModelName.Parse(model), StreamSize.Of(request));
        CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stream.Cut);
        try
        {
            SessionRequest bounded = request with { TokenAllowance = (int?)Math.Min(stream.Granted.MaxTokens ?? int.MaxValue, int.MaxValue) };
            return await StartAsync(stream, bounded, ended);
        }
        catch (Exception exception)
        {
            ended.Dispose();
            await stream.DisposeAsync();
            if (exception is OperationCanceledException && stream.Cut.IsCancellationRequested) throw RunningStream.Refusal();
            throw;
        }
    }

    private async Task<StartedGeneration> StartAsync(RunningStream stream, SessionRequest request, CancellationTokenSource ended)
    {
        GrantedModel granted = stream.Granted;
        IModelSessionGrain session = grains.GetGrain<IModelSessionGrain>(new SessionKey(granted.Lease.Version, Replica: 0).ToString());
        MeteredEvents events = new(
            session.Generate(granted.Lease, request, ended.Token).GetAsyncEnumerator(ended.Token), stream);
        try
        {
            SessionEvent? first = await events.MoveNextAsync() ? events.Current : null;
            return first switch
            {
                SessionAdmitted admitted => new StartedGeneration(granted.Version, admitted.PromptTokens, events, stream, ended),
                SessionRefused refused => throw refused.Reason,
                _ => throw new InvalidOperationException("The session ended before it answered."),
            };
        }
        catch
        {
            await events.DisposeAsync();
            throw;
        }
    }
}
