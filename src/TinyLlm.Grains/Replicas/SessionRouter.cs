using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Sessions;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Replicas;

/// <summary>
/// Step 3 of a request's life: picks the silo whose model session serves a request, and waits for its first event. As long as nothing was
/// answered, a silo that is leaving or gone is passed over for the next. Knows no HTTP, and decides no access: the lease does.
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
        HashSet<SiloAddress> failed = [];
        int declined = 0;
        for (int attempt = 1; ; attempt++)
        {
            Place place = Enter(replicas, lease.Version, failed, declined);
            bool isLast = attempt == Attempts;
            try
            {
                (Outcome outcome, RoutedSession? session) = await TryStartAsync(replicas, place, lease, request, isLast, cancellationToken);
                if (session is not null) return session;
                if (outcome == Outcome.Declined)
                {
                    declined++;
                    attempt--; // the route ends with a silo that may not decline
                    continue;
                }
                silos.Leaves(place.Silo);
            }
            catch (Exception exception) when (!isLast && !cancellationToken.IsCancellationRequested && RoutedSession.IsLost(exception))
            {
                LogLost(logger, lease.Version, place.Silo, exception);
            }
            failed.Add(place.Silo);
            declined = 0;
        }
    }

    /// <summary>What a session answers to a single call. A refusal throws.</summary>
    public async Task<T> CallAsync<T>(ModelLease lease, Func<IModelSessionGrain, Task<T>> call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ReplicaSet replicas = ReplicasOf(lease.Version);
        HashSet<SiloAddress> failed = [];
        for (int attempt = 1; ; attempt++)
        {
            Place place = Enter(replicas, lease.Version, failed, declined: 0);
            bool isLast = attempt == Attempts;
            try
            {
                return await call(grains.GetGrain<IModelSessionGrain>(new SessionKey(lease.Version, place.Silo).ToString()));
            }
            catch (RequestException refusal) when (!isLast && refusal.Error == RequestError.Draining)
            {
                silos.Leaves(place.Silo);
            }
            catch (OrleansException exception) when (!isLast && !cancellationToken.IsCancellationRequested)
            {
                LogLost(logger, lease.Version, place.Silo, exception);
            }
            finally
            {
                replicas.Leave(place.Replica);
            }
            failed.Add(place.Silo);
        }
    }

    /// <summary>
    /// A place on the silo that is to serve: replica n of a version is the silo of rank n, and the first replica may be declined there. What failed is
    /// passed over, as long as there is another.
    /// </summary>
    private Place Enter(ReplicaSet replicas, VersionId version, HashSet<SiloAddress> failed, int declined)
    {
        SiloSet candidates = silos.Candidates().Without(failed);
        if (candidates.Count == 0) throw NoAccelerator();
        int replica = replicas.Enter(declined == 0 ? candidates.Count : 1);
        (SiloAddress silo, ServingPlace serving) = replica == 0
            ? ServingRoute.Step(candidates, version.Value, declined)
            : (candidates.Ranked(version.Value)[replica], ServingPlace.Any);
        return new Place(silo, serving, replica, candidates.Count);
    }

    private static RequestException NoAccelerator() =>
        new(RequestError.NoAccelerator, "No silo of this cluster has an accelerator at the moment: try again soon, or start a silo with the gpu role.")
        {
            RetryAfter = TimeSpan.FromSeconds(5),
        };

    private ReplicaSet ReplicasOf(VersionId version)
    {
        if (_sets.Count >= MaxRemembered) ForgetIdle();
        return _sets.GetOrAdd(version, static (_, time) => new ReplicaSet(time), time);
    }

    /// <summary>A session, or why there is none on this silo while another is to be asked. A refusal throws.</summary>
    private async Task<(Outcome, RoutedSession?)> TryStartAsync(
        ReplicaSet replicas, Place place, ModelLease lease, SessionRequest request, bool isLast, CancellationToken cancellationToken)
    {
        IModelSessionGrain grain = grains.GetGrain<IModelSessionGrain>(new SessionKey(lease.Version, place.Silo).ToString());
        IAsyncEnumerator<SessionEvent> events = grain.Generate(lease, request with { Place = place.Serving }, cancellationToken).GetAsyncEnumerator(cancellationToken);
        RoutedSession? session = null;
        try
        {
            SessionEvent? first = await events.MoveNextAsync() ? events.Current : null;
            if (first is SessionDeclined) return (Outcome.Declined, null);
            if (first is SessionRefused { Reason: { Error: RequestError.Draining } } && !isLast) return (Outcome.Leaving, null);
            // The overflow is full, of models in use: home has to make room.
            if (first is SessionRefused { Reason: { Error: RequestError.NoCapacity } } && place.Serving == ServingPlace.Overflow) return (Outcome.Declined, null);
            if (first is SessionRefused refused)
            {
                if (refused.Reason.Error == RequestError.NoCapacity) replicas.Report(waiting: 1, place.Most);
                throw refused.Reason;
            }
            SessionAdmitted admitted = first as SessionAdmitted ?? throw new InvalidOperationException("The session ended before it answered.");
            replicas.Report(admitted.Waiting, place.Most);
            return (Outcome.Admitted, session = new RoutedSession(admitted, events, () => replicas.Leave(place.Replica)));
        }
        finally
        {
            if (session is null)
            {
                replicas.Leave(place.Replica);
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

    [LoggerMessage(Level = LogLevel.Information, Message = "Silo {Silo} is not to be reached: version {Version} is asked for at the next one")]
    private static partial void LogLost(ILogger logger, VersionId version, SiloAddress silo, Exception exception);

    /// <summary>One request's place: a silo and as what it is asked, which replica of the version that is, and how many there could be.</summary>
    private readonly record struct Place(SiloAddress Silo, ServingPlace Serving, int Replica, int Most);

    private enum Outcome
    {
        Admitted,

        /// <summary>The silo is leaving, and there is another attempt.</summary>
        Leaving,

        /// <summary>The version is not worth its room there, or finds none, and its route goes on.</summary>
        Declined,
    }
}
