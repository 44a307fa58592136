using TinyLlm.Host.Secrets;
using TinyLlm.Storage;

namespace TinyLlm.Host.Access;

/// <summary>Looks every half minute whether the operator's token was replaced where it is kept: no process has to be started again for a rotation.</summary>
internal sealed partial class AdminTokenRotation(AdminToken token, HostSecrets secrets, TimeProvider time, ILogger<AdminTokenRotation> logger) : BackgroundService
{
    /// <summary>How long an old token may still open. A choice: short for an operator who rotates, and two requests a minute for a vault.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    /// <summary>Looks now. What can't be read leaves the token as it is.</summary>
    public void Look()
    {
        try
        {
            if (token.Replace(secrets.Read(HostSecrets.AdminToken, AdminToken.NewText))) LogReplaced(logger);
        }
        catch (Exception exception) when (exception is StoreException or IOException or UnauthorizedAccessException)
        {
            LogUnreadable(logger, exception);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) Look();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The admin token was replaced: the old one opens nothing any more")]
    private static partial void LogReplaced(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The admin token can't be read again; it stays as it is")]
    private static partial void LogUnreadable(ILogger logger, Exception exception);
}
