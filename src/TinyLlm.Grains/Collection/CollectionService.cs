using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace TinyLlm.Grains.Collection;

/// <summary>Runs the collector once when the host has started, and then at its interval. A pass that fails is logged, and the next one comes in time.</summary>
internal sealed partial class CollectionService(
    StoreCollector collector,
    IHostApplicationLifetime lifetime,
    IOptions<CollectionOptions> options,
    TimeProvider time,
    ILogger<CollectionService> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not before the silo takes calls.
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using (lifetime.ApplicationStarted.Register(started.SetResult)) await started.Task.WaitAsync(stoppingToken);
        using PeriodicTimer timer = new(options.Value.Interval, time);
        do
        {
            await CollectAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task CollectAsync(CancellationToken stoppingToken)
    {
        try
        {
            CollectedBytes collected = await collector.CollectAsync(stoppingToken);
            LogCollected(logger, collected.Versions, collected.Bytes, collected.Temporary);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            LogFailed(logger, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Collected {Versions} abandoned versions of {Bytes} bytes, and {Temporary} temporary files")]
    private static partial void LogCollected(ILogger logger, int versions, long bytes, int temporary);

    [LoggerMessage(Level = LogLevel.Error, Message = "Abandoned bytes were not collected, the next pass tries again")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
