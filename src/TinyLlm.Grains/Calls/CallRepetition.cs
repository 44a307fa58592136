using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.Logging;

namespace TinyLlm.Grains.Calls;

/// <summary>
/// Between a silo's death and the cluster's agreement on it, and while the directory of grains moves, calls are turned away. Those that may be
/// repeated are, on the caller's side: without it every client of a silo that still lives is told to come again.
/// </summary>
internal sealed partial class CallRepetition(TimeProvider time, ILogger<CallRepetition> logger) : IOutgoingGrainCallFilter
{
    /// <summary>Before each further attempt: a death is known within half a second, on a busy machine within a few, and all together must stay far below a caller's patience.</summary>
    private static readonly ImmutableArray<TimeSpan> s_waits = [TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)];

    private readonly ConcurrentDictionary<MethodInfo, bool> _repeatable = [];

    public Task Invoke(IOutgoingGrainCallContext context)
    {
        Task call = context.Invoke();
        return call.IsCompletedSuccessfully || context.InterfaceMethod is not { } method || !IsRepeatable(method) ? call : FinishAsync(context, call);
    }

    private async Task FinishAsync(IOutgoingGrainCallContext context, Task call)
    {
        foreach (TimeSpan wait in s_waits)
        {
            try
            {
                await call;
                return;
            }
            catch (Exception exception) when (exception is SiloUnavailableException or OrleansMessageRejectionException)
            {
                LogRepeated(logger, context.InterfaceName, context.MethodName, wait, exception);
            }
            await Task.Delay(wait, time);
            call = context.Invoke();
        }
        await call;
    }

    private bool IsRepeatable(MethodInfo method) => _repeatable.GetOrAdd(method, asked => asked.IsDefined(typeof(RepeatableAttribute)));

    [LoggerMessage(Level = LogLevel.Information, Message = "{Interface}.{Method} was turned away and is repeated in {Wait}")]
    private static partial void LogRepeated(ILogger logger, string @interface, string method, TimeSpan wait, Exception exception);
}
