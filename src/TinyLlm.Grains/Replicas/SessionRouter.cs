using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sessions;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Replicas;

/// <summary>
/// Step 3 of a request's life: picks the replica of a model session that serves a request, and waits for its first event. As long as nothing was
/// answered, a replica whose silo is leaving or gone is passed over for the next. Knows no HTTP, and decides no access: the lease does.
/// </summary>
public sealed partial class SessionRouter(IGrainFactory grains, AcceleratorSilos silos, TimeProvider time, ILogger<SessionRouter> logger)
{
    /// <summary>One silo leaves while another dies: a third has to serve.</summary>
    private const int Attempts = 3;

    /// <summary>Versions remembered; beyond it those without a request are forgotten, and begin with one replica again.</summary>
    private const int MaxRemembered = 4096;

    private readonly ConcurrentDictionary<VersionId, ReplicaSet> _sets = [];

    /// <summary>The admitted session, which the caller disposes at any moment, and that ends it. A refusal throws.</summary>
    public async Task<RoutedSession> StartAsync(ModelLease lease, SessionRequest request, CancellationToken cancellationToken)
    {
        ReplicaSet replicas = ReplicasOf(lease.Version);
        int? failed = null;
        for (int attempt = 1; ; attempt++)
        {
            int most = silos.Count(), replica = replicas.Enter(most, failed);
            bool isLast = attempt == Attempts;
            try
            {
                if (await TryStartAsync(replicas, replica, most, lease, request, isLast, cancellationToken) is { } session) return session;
            }
            catch (Exception exception) when (!isLast && !cancellationToken.IsCancellationRequested && RoutedSession.IsLost(exception))
            {
                LogLost(logger, lease.Version, replica, exception);
            }
            failed = replica;
        }
    }

    /// <summary>What a session answers to a single call. A refusal throws.</summary>
    public async Task<T> CallAsync<T>(ModelLease lease, Func<IModelSessionGrain, Task<T>> call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ReplicaSet replicas = ReplicasOf(lease.Version);
        int? failed = null;
        for (int attempt = 1; ; attempt++)
        {
            int replica = replicas.Enter(silos.Count(), failed);
            bool isLast = attempt == Attempts;
            try
            {
                return await call(grains.GetGrain<IModelSessionGrain>(new SessionKey(lease.Version, replica).ToString()));
            }
            catch (RequestException refusal) when (!isLast && refusal.Error == RequestError.Draining)
            {
            }
            catch (OrleansException exception) when (!isLast && !cancellationToken.IsCancellationRequested)
            {
                LogLost(logger, lease.Version, replica, exception);
            }
            finally
            {
                replicas.Leave(replica);
            }
            failed = replica;
        }
    }

    private ReplicaSet ReplicasOf(VersionId version)
    {
        if (_sets.Count >= MaxRemembered) ForgetIdle();
        return _sets.GetOrAdd(version, static (_, time) => new ReplicaSet(time), time);
    }

    /// <summary>Null: the replica's silo is leaving, and there is another attempt.</summary>
    private async Task<RoutedSession?> TryStartAsync(
        ReplicaSet replicas, int replica, int most, ModelLease lease, SessionRequest request, bool isLast, CancellationToken cancellationToken)
    {
        IModelSessionGrain grain = grains.GetGrain<IModelSessionGrain>(new SessionKey(lease.Version, replica).ToString());
        IAsyncEnumerator<SessionEvent> events = grain.Generate(lease, request, cancellationToken).GetAsyncEnumerator(cancellationToken);
        RoutedSession? session = null;
        try
        {
            SessionEvent? first = await events.MoveNextAsync() ? events.Current : null;
            if (first is SessionRefused { Reason: { Error: RequestError.Draining } } && !isLast) return null;
            if (first is SessionRefused refused)
            {
                if (refused.Reason.Error == RequestError.NoCapacity) replicas.Report(waiting: 1, most);
                throw refused.Reason;
            }
            SessionAdmitted admitted = first as SessionAdmitted ?? throw new InvalidOperationException("The session ended before it answered.");
            replicas.Report(admitted.Waiting, most);
            return session = new RoutedSession(admitted, events, () => replicas.Leave(replica));
        }
        finally
        {
            if (session is null)
            {
                replicas.Leave(replica);
                await RoutedSession.EndAsync(events);
            }
        }
    }

    private void ForgetIdle()
    {
        foreach ((VersionId version, ReplicaSet set) in _sets)
        {
            if (set.Running == 0) _sets.TryRemove(KeyValuePair.Create(version, set));
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Replica {Replica} of version {Version} is not to be reached: the next one is asked")]
    private static partial void LogLost(ILogger logger, VersionId version, int replica, Exception exception);
}
