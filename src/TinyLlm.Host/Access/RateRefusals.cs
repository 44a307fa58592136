using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Host.Errors;
using TinyLlm.Host.Telemetry;

namespace TinyLlm.Host.Access;

/// <summary>
/// Answers a caller whose rate was used up a moment ago, and still is, before authentication: no grain is asked, nothing is thrown, and no line is written
/// to the log, where the first refusal already is. So who hammers on a limit takes as little as can be from the others.
/// </summary>
internal sealed partial class RateRefusals(RequestDelegate next, TokenVerdicts verdicts, GenerationMeter meter, ILogger<RateRefusals> logger)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (BearerAuthentication.TokenOf(http.Request) is not { } token || verdicts.KeptRefusal(token) is not { RetryAfter: { } wait, Levels: { } levels }) return next(http);
        RequestException refusal = UsedUp(levels, wait);
        meter.Refused(refusal.Error);
        LogRepeated(logger, refusal.Error, ErrorWriter.TraceId(http));
        RateHeaders.Show(http, levels);
        return ErrorWriter.WriteAsync(http, refusal);
    }

    /// <summary>The refusal of a request beyond the rate.</summary>
    public static RequestException UsedUp(RateLevels levels, TimeSpan wait) =>
        new(RequestError.RateLimited, $"requests: {levels.Requests.Limit} per minute are the bound, and they are used up: wait, or ask the operator for more.") { RetryAfter = wait };

    [LoggerMessage(Level = LogLevel.Debug, Message = "Refused again with {Error}, trace {TraceId}")]
    private static partial void LogRepeated(ILogger logger, RequestError error, string traceId);
}
