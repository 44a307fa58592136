using Microsoft.Extensions.Logging;
using TinyLlm.Grains.Audit;
using TinyLlm.Grains.Placement;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <inheritdoc cref="IHostKeysGrain"/>
[OnCoreSilos]
[GrainType("hostkeys")]
internal sealed partial class HostKeysGrain(KeyEnvelopes envelopes, SigningKey signingKey, ILogger<HostKeysGrain> logger) : Grain, IHostKeysGrain
{
    public Task<string> GetSigningKey() => Task.FromResult(signingKey.PublicKey.Pem);

    public async Task<int> Rotate()
    {
        await GrainFactory.GetGrain<IOperatorLogGrain>(IOperatorLogGrain.Key).Append(AuditTrail<UserState>.Event(AuditAction.KeyRotated, "host"));
        int rewrapped = await envelopes.RotateHostKeyAsync(CancellationToken.None);
        LogRotated(logger, envelopes.HostKeyId, rewrapped);
        return rewrapped;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Host key {KeyId} is current; {Count} users' keys were rewrapped, older host keys are gone")]
    private static partial void LogRotated(ILogger logger, string keyId, int count);
}
