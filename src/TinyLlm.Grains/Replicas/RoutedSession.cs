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
        await EndAsync(events);
    }

    /// <summary>Ends an enumeration; where its silo is gone, it has ended already.</summary>
    internal static async Task EndAsync(IAsyncEnumerator<SessionEvent> events)
    {
        try
        {
            await events.DisposeAsync();
        }
        catch (Exception exception) when (IsLost(exception))
        {
            // Nobody is left to be told.
        }
    }

    /// <summary>Whether it says that the session's silo, or its activation there, is gone.</summary>
    public static bool IsLost(Exception exception) => exception is OrleansException or EnumerationAbortedException or TimeoutException;
}
