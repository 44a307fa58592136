using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Sessions;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Usage;

/// <summary>
/// Counts what is used on this silo, and tells the ledgers of those concerned twice a second, and once more when the silo leaves. A silo that dies
/// takes with it what it had not told: less than a second of its work. Every delta carries the silo's epoch and a number, so a repeat after a lost
/// answer counts nothing twice.
/// </summary>
public sealed partial class UsageMeter(IGrainFactory grains, SessionDrain drain, TimeProvider time, ILogger<UsageMeter> logger)
    : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>The promise is a second; half of it leaves the write its time.</summary>
    internal static readonly TimeSpan FlushInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Ledgers that are told at the same time.</summary>
    private const int Parallelism = 16;

    private readonly string _source = RandomId.New("use_");
    private readonly Lock _gate = new();
    private readonly Dictionary<string, UsageOutbox> _outboxes = [];
    private readonly SemaphoreSlim _flushing = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;
    private long _number;

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(nameof(UsageMeter), ServiceLifecycleStage.Active, Start, StopAsync);

    /// <summary>Counts a use of a model, for its consumer and for its owner.</summary>
    internal void Record(UsageAccount account, UsageCount count)
    {
        DateOnly today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        lock (_gate)
        {
            account.Open(today);
            Outbox(account.ConsumerLedger).Add(today, account.Model, UsageRole.Consumer, count);
            Outbox(account.OwnerLedger).Add(today, account.Model, UsageRole.Owner, count);
        }
    }

    /// <summary>The bytes that a user's models have from now on.</summary>
    internal void RecordStored(UserId owner, ImmutableDictionary<string, long> models)
    {
        DateOnly today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        lock (_gate) Outbox(UsageMonth.Key(owner, today)).SetStored(today, models);
    }

    /// <summary>Tells every ledger what it has not been told. What fails is told again next time, under the same number.</summary>
    public async Task FlushAsync()
    {
        await _flushing.WaitAsync();
        try
        {
            List<(string Ledger, UsageOutbox Outbox, UsageDelta Delta)> due = [];
            lock (_gate)
            {
                foreach ((string ledger, UsageOutbox outbox) in _outboxes) due.Add((ledger, outbox, outbox.Next(_source, () => ++_number)));
            }
            await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = Parallelism }, async (item, _) => await TellAsync(item.Ledger, item.Outbox, item.Delta));
        }
        finally
        {
            _flushing.Release();
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _flushing.Dispose();
    }

    private UsageOutbox Outbox(string ledger)
    {
        if (!_outboxes.TryGetValue(ledger, out UsageOutbox? outbox)) _outboxes.Add(ledger, outbox = new UsageOutbox());
        return outbox;
    }

    private async Task TellAsync(string ledger, UsageOutbox outbox, UsageDelta delta)
    {
        try
        {
            await grains.GetGrain<IUsageLedgerGrain>(ledger).Add(delta);
            lock (_gate)
            {
                outbox.Acknowledge();
                if (outbox.IsEmpty) _outboxes.Remove(ledger);
            }
        }
        catch (Exception exception)
        {
            LogNotTold(logger, delta.Number, exception);
        }
    }

    private Task Start(CancellationToken cancellationToken)
    {
        _running = Task.Run(RunAsync, CancellationToken.None); // awaited when the silo stops
        return Task.CompletedTask;
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(FlushInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token)) await FlushAsync();
        }
        catch (OperationCanceledException)
        {
            // The silo stops, and flushes once more.
        }
    }

    /// <summary>The last words come after the last answer.</summary>
    private async Task StopAsync(CancellationToken cancellationToken)
    {
        await drain.Drained.WaitAsync(cancellationToken);
        await _stopping.CancelAsync();
        await _running;
        await FlushAsync();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A ledger could not be told of the usage delta {Number}: it is sent again")]
    private static partial void LogNotTold(ILogger logger, long number, Exception exception);
}
