using TinyLlm.Grains.Audit;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Host.Audit;

/// <summary>
/// Counts requests whose token was refused, and tells the audit logs once per interval: the operator's how many there were, and a user's how many
/// of them named that user. A request alone writes nothing, so guessing costs the store nothing.
/// </summary>
internal sealed partial class FailedAuthentications(IGrainFactory grains, TimeProvider time, ILogger<FailedAuthentications> logger) : BackgroundService
{
    /// <summary>How often the logs are told.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    /// <summary>Users of one interval that are told; a guesser of ids makes up as many as it likes, and the operator's count has them all.</summary>
    private const int MaxUsers = 100;

    private readonly Lock _gate = new();
    private readonly Dictionary<UserId, int> _users = [];
    private long _count;
    private DateTimeOffset _since = time.GetUtcNow();

    /// <summary>A token was refused.</summary>
    public void Add(string token)
    {
        bool named = AccessToken.TryParse(token, out AccessToken parsed);
        lock (_gate)
        {
            _count++;
            if (named && (_users.Count < MaxUsers || _users.ContainsKey(parsed.User))) _users[parsed.User] = _users.GetValueOrDefault(parsed.User) + 1;
        }
    }

    /// <summary>Tells the logs what was counted since the last time.</summary>
    internal async Task ReportAsync()
    {
        (long count, KeyValuePair<UserId, int>[] users, DateTimeOffset since) = Take();
        if (count == 0) return;
        try
        {
            AuditEvent told = new()
            {
                Action = AuditAction.AuthenticationFailed,
                Actor = AuditActor.Host,
                Details = System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("count", $"{count}").Add("since", since.ToString("O")),
            };
            await grains.GetGrain<IOperatorLogGrain>(IOperatorLogGrain.Key).Append(told);
        }
        catch (Exception exception)
        {
            LogNotTold(logger, count, exception);
            lock (_gate) _count += count; // the operator's log hears of them later
        }
        foreach ((UserId user, int refused) in users)
        {
            try
            {
                await grains.GetGrain<IUserGrain>(user.Value).ReportFailedAuthentications(refused, since);
            }
            catch (Exception exception)
            {
                LogUserNotTold(logger, user, refused, exception); // the operator's log has them, and the other users' are told
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await ReportAsync();
        }
        catch (OperationCanceledException)
        {
            await ReportAsync();
        }
    }

    private (long, KeyValuePair<UserId, int>[], DateTimeOffset) Take()
    {
        lock (_gate)
        {
            (long, KeyValuePair<UserId, int>[], DateTimeOffset) taken = (_count, [.. _users], _since);
            _count = 0;
            _users.Clear();
            _since = time.GetUtcNow();
            return taken;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The audit logs could not be told of {Count} failed authentications: they are told with the next ones")]
    private static partial void LogNotTold(ILogger logger, long count, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The audit log of user {User} could not be told of {Count} failed authentications")]
    private static partial void LogUserNotTold(ILogger logger, UserId user, int count, Exception exception);
}
