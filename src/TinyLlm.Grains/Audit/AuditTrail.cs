using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Errors;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Audit;

/// <summary>
/// One grain's side of its audit log: the entry before the change, the change with the log's position in one write of the state, and the comparison
/// of both whenever they may differ. What can't be logged doesn't happen.
/// </summary>
internal sealed partial class AuditTrail<TState>(AuditLog log, IPersistentState<TState> state, ILogger logger)
    where TState : IAuditedState
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    /// <summary>Whether the log is known to end where the state says.</summary>
    private bool _reconciled;

    /// <summary>An event of now, by whoever makes this call.</summary>
    public static AuditEvent Event(AuditAction action, string? subject, params ReadOnlySpan<(string Name, string Value)> details)
    {
        ImmutableDictionary<string, string>.Builder named = ImmutableDictionary.CreateBuilder<string, string>();
        foreach ((string name, string value) in details) named[name] = value;
        return new AuditEvent { Action = action, Actor = AuditActor.Current, Subject = subject, Details = named.ToImmutable() };
    }

    /// <summary>
    /// On activation: tells the log what was begun and never done. When the audit store fails the activation goes on, because reading needs no
    /// log; the next change tries again.
    /// </summary>
    public async Task ReconcileAsync(Grain grain, AuditLogId id)
    {
        try
        {
            AuditPosition position = state.State.Audit ?? AuditPosition.Start;
            AuditPosition end = await log.ReconcileAsync(id, position, CancellationToken.None);
            if (end != position)
            {
                LogDiffered(logger, id, position.Entries, end.Entries);
                state.State.Audit = end;
                await Users.GrainSave.OrForget(grain, state);
            }
            _reconciled = true;
        }
        catch (Exception exception)
        {
            LogNotReconciled(logger, id, exception);
        }
    }

    /// <summary>
    /// Appends the entry, then writes the state with what was changed in it. When either fails, the change is forgotten.
    /// </summary>
    /// <exception cref="RequestException">AuditUnavailable: nothing was changed.</exception>
    public async Task SaveAsync(Grain grain, AuditLogId id, AuditEvent told)
    {
        AuditPosition? before = state.State.Audit;
        try
        {
            state.State.Audit = await AppendAsync(id, before ?? AuditPosition.Start, told);
        }
        catch (Exception exception)
        {
            LogUnavailable(logger, id, exception);
            await Users.GrainSave.Forget(grain, state);
            if (exception is StoreException { Error: StoreError.StorageFull }) throw; // says better what to do
            throw new RequestException(RequestError.AuditUnavailable, "The audit log can't be written, so nothing was changed: try again soon.") { RetryAfter = RetryAfter };
        }
        bool saved = false;
        try
        {
            await Users.GrainSave.OrForget(grain, state);
            saved = true;
        }
        finally
        {
            _reconciled = saved; // else the log has an entry that the state may not know of
        }
    }

    private async Task<AuditPosition> AppendAsync(AuditLogId id, AuditPosition position, AuditEvent told)
    {
        if (!_reconciled) position = await log.ReconcileAsync(id, position, CancellationToken.None);
        _reconciled = false;
        return await log.AppendAsync(id, position, told, CancellationToken.None);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Audit log {Log}: the state knows of {Known} entries, and the log now has {Entries}")]
    private static partial void LogDiffered(ILogger logger, AuditLogId log, long known, long entries);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Audit log {Log}: not compared with the state, the next change will")]
    private static partial void LogNotReconciled(ILogger logger, AuditLogId log, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Audit log {Log}: can't be written, a change was refused")]
    private static partial void LogUnavailable(ILogger logger, AuditLogId log, Exception exception);
}
