using TinyLlm.Grains.Sessions;

namespace TinyLlm.Grains.Replicas;

/// <summary>An admitted session: what it said first, and the events that follow. Disposing it ends it, at any moment.</summary>
public sealed class RoutedSession(SessionAdmitted admitted, IAsyncEnumerator<SessionEvent> events, Action leave) : IAsyncDisposable
{
    private Action? _leave = leave;

    /// <summary>The first event.</summary>
    public SessionAdmitted Admitted => admitted;

    /// <summary>The events after the first.</summary>
    public IAsyncEnumerator<SessionEvent> Events => events;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _leave, null) is not { } leaveOnce) return;
        leaveOnce();
        await events.DisposeAsync();
    }
}
