using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Errors;
using TinyLlm.Host.Hardening;

namespace TinyLlm.Host.Telemetry;

/// <summary>Times one request. What nobody called whole by the end of it failed: as the refusal said, or because its client went away.</summary>
internal sealed class GenerationTimer(GenerationMeter meter, TimeProvider time, string operation) : IDisposable
{
    private const string Gone = "client_gone", SlowReader = "slow_reader";

    private readonly long _begun = time.GetTimestamp();
    private long _firstTokenAt, _lastTokenAt;
    private int _tokens;
    private string? _error = Gone;

    /// <summary>Takes what a session says.</summary>
    public void Observe(SessionEvent item)
    {
        switch (item)
        {
            case SessionDelta { Ids.Length: > 0 } delta:
                _lastTokenAt = time.GetTimestamp();
                if (_tokens == 0) FirstToken();
                _tokens += delta.Ids.Length;
                break;
            case SessionEnded { Reason: SessionEnd.Stop or SessionEnd.Length }:
                Succeed();
                break;
            case SessionEnded { Fault: { } fault }:
                Fail(fault);
                break;
            case SessionEnded end:
                _error = end.Reason == SessionEnd.SlowReader ? SlowReader : ErrorTable.Internal.Code;
                break;
        }
    }

    /// <summary>The answer is whole.</summary>
    public void Succeed() => _error = null;

    /// <summary>It is refused, or breaks off.</summary>
    public void Fail(Exception exception)
    {
        _error = exception switch
        {
            RequestException refusal => ErrorTable.Of(refusal.Error).Code,
            SlowReaderException => SlowReader,
            OperationCanceledException or IOException => Gone,
            _ => ErrorTable.Internal.Code,
        };
    }

    public void Dispose()
    {
        if (_tokens == 0) meter.Answered();
        if (_error is null && _tokens > 1) meter.PerToken(operation, time.GetElapsedTime(_firstTokenAt, _lastTokenAt) / (_tokens - 1));
        meter.Ended(operation, time.GetElapsedTime(_begun), _error);
    }

    private void FirstToken()
    {
        _firstTokenAt = _lastTokenAt;
        meter.Answered();
        meter.FirstToken(operation, time.GetElapsedTime(_begun, _firstTokenAt));
    }
}
