using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.Streams;

/// <summary>
/// A session's events on their way to the answer: their tokens are counted, and a stream that was cut ends with
/// <see cref="RunningStream.Refusal"/>, never as if it were complete.
/// </summary>
internal sealed class MeteredEvents(IAsyncEnumerator<SessionEvent> events, RunningStream stream) : IAsyncEnumerator<SessionEvent>
{
    public SessionEvent Current => events.Current;

    public async ValueTask<bool> MoveNextAsync()
    {
        try
        {
            if (!await events.MoveNextAsync()) return stream.Cut.IsCancellationRequested ? throw RunningStream.Refusal() : false;
        }
        catch (OperationCanceledException) when (stream.Cut.IsCancellationRequested)
        {
            throw RunningStream.Refusal();
        }
        if (events.Current is SessionDelta delta) stream.CountCompletion(delta.Ids.Length);
        return true;
    }

    public ValueTask DisposeAsync() => events.DisposeAsync();
}
