using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Placement;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Audit;

/// <summary>What the operator's log grain keeps.</summary>
internal sealed class OperatorLogState : IAuditedState
{
    public AuditPosition? Audit { get; set; }
}

/// <inheritdoc cref="IOperatorLogGrain"/>
[OnCoreSilos]
[GrainType("operatorlog")]
internal sealed class OperatorLogGrain(
    [PersistentState("operatorlog", GrainStorageHosting.DefaultName)] IPersistentState<OperatorLogState> state,
    AuditLog log,
    ILogger<OperatorLogGrain> logger) : Grain, IOperatorLogGrain
{
    private readonly AuditTrail<OperatorLogState> _trail = new(log, state, logger);

    public override Task OnActivateAsync(CancellationToken cancellationToken) => _trail.ReconcileAsync(this, AuditLogId.Operator);

    public Task Append(AuditEvent told) => _trail.SaveAsync(this, AuditLogId.Operator, told);

    public Task<string> GetPublicKey() => Task.FromResult(log.PublicKey.Text);
}
