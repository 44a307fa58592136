using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Telemetry;

namespace TinyLlm.Host.Streams;

/// <summary>
/// A session's events on their way to the answer: their tokens are counted and timed. A stream that was cut ends with <see cref="RunningStream.Refusal"/>,
/// and one whose session is gone with <see cref="Broken"/>, never as if it were complete.
/// </summary>
internal sealed class MeteredEvents(IAsyncEnumerator<SessionEvent> events, RunningStream stream, GenerationTimer timer) : IAsyncEnumerator<SessionEvent>
{
    private bool _isWhole;

    public SessionEvent Current => events.Current;

    /// <summary>What an answer ends with that broke off.</summary>
    public static RequestException Broken() =>
        new(RequestError.AnswerCut, "The answer was cut before its end: send the request again.") { RetryAfter = TimeSpan.FromSeconds(1) };

    public async ValueTask<bool> MoveNextAsync()
    {
        if (_isWhole) return false; // its silo may be gone already
        try
        {
            return await ReadAsync();
        }
        catch (Exception exception)
        {
            timer.Fail(exception);
            throw;
        }
    }

    public ValueTask DisposeAsync() => events.DisposeAsync();

    private async ValueTask<bool> ReadAsync()
    {
        try
        {
            if (!await events.MoveNextAsync()) return stream.Cut.IsCancellationRequested ? throw RunningStream.Refusal() : false;
        }
        catch (OperationCanceledException) when (stream.Cut.IsCancellationRequested)
        {
            throw RunningStream.Refusal();
        }
        catch (Exception exception) when (RoutedSession.IsLost(exception))
        {
            throw Broken();
        }
        _isWhole = events.Current is SessionEnded;
        if (events.Current is SessionDelta delta) stream.CountCompletion(delta.Ids.Length);
        timer.Observe(events.Current);
        return true;
    }
}
