using System.Collections.Concurrent;
using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;
using TinyLlm.Storage;

namespace TinyLlm.Host.Streams;

/// <summary>
/// The answers that this process is making, and the files that it hands out. Every half second it tells each caller's grain, and for each pair of users the owner's grain, what
/// they have used, and cuts those that may not go on: a revocation anywhere ends them within a second. A grain that does not answer is given
/// the time of a lease; after that the streams that it can't confirm end.
/// </summary>
internal sealed partial class RunningStreams(ModelDirectory directory, IGrainFactory grains, TimeProvider time, ILogger<RunningStreams> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<string, RunningStream> _streams = [];

    /// <summary>Pairs whose call is under way: one that hangs delays nobody else's, and is not repeated on top.</summary>
    private readonly ConcurrentDictionary<(UserId Caller, UserId? Owner), bool> _underWay = [];

    /// <summary>Answers and downloads under way.</summary>
    public int Count => _streams.Count;

    /// <summary>
    /// Step 2 of a request's life for an answer: the owner's lease, then a place and the tokens among the caller's limits. The caller disposes
    /// the stream when the answer ended, however it ended.
    /// </summary>
    public async Task<RunningStream> OpenAsync(HttpContext http, Caller caller, ModelName name, StreamSize size)
    {
        UserId user = caller.RequireUser();
        IUserGrain owner = await directory.FindOwnerAsync(caller, name);
        string id = Guid.NewGuid().ToString("N");
        GrantedModel granted = await owner.LeaseStream(new StreamLeaseSpec
        {
            Caller = user,
            Model = name.Model,
            Number = name.Version,
            StreamId = id,
            PromptTokens = size.PromptTokens,
            MaxTokens = size.MaxTokens,
        });
        RunningStream stream = new(id, caller, granted, time.GetUtcNow(), EndAsync);
        try
        {
            RateLevels levels = await grains.GetGrain<IUserGrain>(user.Value).BeginStream(new StreamSpec
            {
                StreamId = id,
                Bearer = stream.Bearer,
                ReservedTokens = size.ReservedTokens(granted.Version.Facts.ContextLength),
            });
            RateHeaders.Show(http, levels);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
        _streams[id] = stream;
        return stream;
    }

    /// <summary>The owner's lease for a download. The caller ends the download when the stream is cut, and disposes it in any case.</summary>
    public async Task<RunningStream> OpenDownloadAsync(Caller caller, ModelName name)
    {
        GrantedModel granted = await directory.LeaseAsync(caller, name, ModelRight.Download);
        RunningStream stream = new(Guid.NewGuid().ToString("N"), caller, granted, time.GetUtcNow(), EndDownloadAsync);
        _streams[stream.Id] = stream;
        return stream;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (IGrouping<UserId, RunningStream> group in _streams.Values.GroupBy(stream => stream.Caller)) Start((group.Key, null), [.. group]);
            foreach (var group in _streams.Values.GroupBy(stream => (stream.Caller, stream.Owner))) Start((group.Key.Caller, group.Key.Owner), [.. group]);
        }
    }

    private void Start((UserId Caller, UserId? Owner) pair, RunningStream[] streams)
    {
        if (!_underWay.TryAdd(pair, true)) return;
        _ = RenewAsync(pair, streams); // it fails never: what a call fails with is logged
    }

    private async Task RenewAsync((UserId Caller, UserId? Owner) pair, RunningStream[] streams)
    {
        try
        {
            ImmutableArray<string> cut = pair.Owner is { } owner
                ? await grains.GetGrain<IUserGrain>(owner.Value).RenewLeases(pair.Caller, [.. streams.Select(LeaseUse)])
                : await grains.GetGrain<IUserGrain>(pair.Caller.Value).RenewStreams([.. streams.Select(StreamUse)]);
            DateTimeOffset now = time.GetUtcNow();
            foreach (RunningStream stream in streams)
            {
                if (cut.Contains(stream.Id)) Cut(stream);
                else if (pair.Owner is null) stream.CallerConfirmedAt = now;
                else stream.OwnerConfirmedAt = now;
            }
        }
        catch (Exception exception)
        {
            LogNotRenewed(logger, streams.Length, pair.Caller, exception);
            DateTimeOffset oldest = time.GetUtcNow() - LeaseSigner.Lifetime;
            foreach (RunningStream stream in streams.Where(stream => stream.CallerConfirmedAt < oldest || stream.OwnerConfirmedAt < oldest)) Cut(stream);
        }
        finally
        {
            _underWay.TryRemove(pair, out _);
        }
    }

    private void Cut(RunningStream stream)
    {
        LogCut(logger, stream.Caller, stream.Granted.Version.Version);
        stream.End();
    }

    /// <summary>Settles with both grains. One that does not answer settles by itself, when it has not heard of the stream for a while.</summary>
    private async Task EndAsync(RunningStream stream)
    {
        _streams.TryRemove(stream.Id, out _);
        try
        {
            await grains.GetGrain<IUserGrain>(stream.Caller.Value).EndStream(StreamUse(stream));
            if (stream.Owner != stream.Caller) await grains.GetGrain<IUserGrain>(stream.Owner.Value).EndLease(stream.Caller, LeaseUse(stream));
        }
        catch (Exception exception)
        {
            LogNotSettled(logger, stream.Caller, exception);
        }
    }

    private Task EndDownloadAsync(RunningStream stream)
    {
        _streams.TryRemove(stream.Id, out _);
        return Task.CompletedTask;
    }

    private static StreamUse StreamUse(RunningStream stream) => new()
    {
        StreamId = stream.Id,
        Bearer = stream.Bearer,
        Tokens = stream.Tokens,
        IsDownload = stream.IsDownload,
    };

    private static LeaseUse LeaseUse(RunningStream stream) => new()
    {
        StreamId = stream.Id,
        Model = stream.Granted.Version.Model,
        Version = stream.Granted.Version.Version,
        Tokens = stream.Tokens,
        IsDownload = stream.IsDownload,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "User {Caller}: an answer from version {Version}, or a download of it, was cut: the right to it was withdrawn")]
    private static partial void LogCut(ILogger logger, UserId caller, VersionId version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} running answers of user {Caller} could not be confirmed, the next half second tries again")]
    private static partial void LogNotRenewed(ILogger logger, int count, UserId caller, Exception exception);

    [LoggerMessage(Level = LogLevel.Warning, Message = "User {Caller}: an ended answer could not be settled")]
    private static partial void LogNotSettled(ILogger logger, UserId caller, Exception exception);
}
