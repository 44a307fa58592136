using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Grains.Users;

/// <summary>
/// The rules of what a user may do at once and per minute, over the user's meter. A request is counted when its token is checked. A stream's
/// tokens are taken from the rate before it begins, as far as they can be known, and settled with what was used when it ends; what goes beyond
/// the reservation is taken while it runs. Running streams live in memory: their API process tells them every half second, so an activation
/// that ends forgets them for no longer than that. Knows no storage and no call.
/// </summary>
internal sealed class LimitBook(UserLimits defaults, TimeProvider time)
{
    /// <summary>A stream that was not told for this long has no process any more: it gives its place back.</summary>
    public static readonly TimeSpan StreamLifetime = TimeSpan.FromSeconds(10);

    /// <summary>Precision of "last used": it tells nobody an exact moment.</summary>
    private static readonly TimeSpan LastUsedPrecision = TimeSpan.FromMinutes(1);

    /// <summary>How far the stored "last used" may lie behind the one in memory.</summary>
    private static readonly TimeSpan LastUsedDelay = TimeSpan.FromMinutes(5);

    /// <summary>A guess at how soon a running answer ends.</summary>
    private static readonly TimeSpan StreamRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Ended streams that are remembered: a renewal that was sent before the end may come after it.</summary>
    private const int MaxEnded = 1_000;

    private readonly Dictionary<string, RunningStream> _streams = [];
    private readonly Queue<string> _ended = [];
    private readonly Dictionary<string, DateTimeOffset> _lastUsedStored = [];

    private sealed class RunningStream
    {
        public required string? TokenId { get; init; }

        /// <summary>What the rates were debited.</summary>
        public required long Charged { get; set; }

        public required long Used { get; set; }

        public required DateTimeOffset SeenAt { get; set; }
    }

    private readonly record struct Rate(Bucket Bucket, long PerMinute);

    /// <summary>Counts one request, if every rate has room for it.</summary>
    public Admission Admit(UserState state, UserMeter meter, TokenVerdict verdict)
    {
        DateTimeOffset now = time.GetUtcNow();
        (ImmutableArray<Rate> requests, ImmutableArray<Rate> tokens) = Rates(state, meter, verdict.TokenId, now);
        TimeSpan wait = Wait(requests, 1);
        if (wait == TimeSpan.Zero)
        {
            Take(meter, requests, 1);
            if (verdict.TokenId is { } token) MarkUsed(meter, token, now);
        }
        return new Admission { Verdict = verdict, Levels = Levels(requests, tokens), RetryAfter = wait == TimeSpan.Zero ? null : wait };
    }

    /// <summary>Gives a stream its place, and takes what it reserves.</summary>
    public RateLevels Begin(UserState state, UserMeter meter, StreamSpec spec)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (!IsAlive(state, spec.Bearer, now)) throw new RequestException(RequestError.Unauthenticated, "The access token was revoked or has expired.");
        Sweep(state, meter, now);
        RefuseBeyondPlaces(_streams.Count, Quota(state).ConcurrentStreams!.Value);
        if (TokenLimits(state, spec.Bearer.TokenId)?.ConcurrentStreams is { } places)
        {
            RefuseBeyondPlaces(_streams.Values.Count(stream => stream.TokenId == spec.Bearer.TokenId), places);
        }

        (ImmutableArray<Rate> requests, ImmutableArray<Rate> tokens) = Rates(state, meter, spec.Bearer.TokenId, now);
        TimeSpan wait = Wait(tokens, spec.ReservedTokens);
        if (wait > TimeSpan.Zero)
        {
            throw new RequestException(
                RequestError.RateLimited,
                $"tokens: {spec.ReservedTokens} were asked for, and {Levels(requests, tokens).Tokens.Remaining} of {tokens.Min(rate => rate.PerMinute)} per minute are left: wait, or lower max_tokens.")
            {
                RetryAfter = wait,
            };
        }
        Take(meter, tokens, spec.ReservedTokens);
        _streams[spec.StreamId] = new RunningStream { TokenId = spec.Bearer.TokenId, Charged = spec.ReservedTokens, Used = 0, SeenAt = now };
        return Levels(requests, tokens);
    }

    /// <summary>Takes note of what running streams have used; answers those whose credential is not accepted any more.</summary>
    public ImmutableArray<string> Renew(UserState state, UserMeter meter, ImmutableArray<StreamUse> uses)
    {
        DateTimeOffset now = time.GetUtcNow();
        ImmutableArray<string>.Builder cut = ImmutableArray.CreateBuilder<string>();
        foreach (StreamUse use in uses)
        {
            if (!IsAlive(state, use.Bearer, now)) cut.Add(use.StreamId);
            if (use.IsDownload) continue;
            if (!_streams.TryGetValue(use.StreamId, out RunningStream? stream))
            {
                if (_ended.Contains(use.StreamId)) continue;
                // Begun with an earlier activation, whose meter was debited.
                stream = new RunningStream { TokenId = use.Bearer.TokenId, Charged = use.Tokens, Used = use.Tokens, SeenAt = now };
                _streams[use.StreamId] = stream;
            }
            stream.SeenAt = now;
            stream.Used = use.Tokens;
            Charge(state, meter, stream, Math.Max(stream.Charged, use.Tokens), now);
        }
        return cut.ToImmutable();
    }

    /// <summary>Frees the place and settles: what was reserved beyond the use comes back.</summary>
    public void End(UserState state, UserMeter meter, StreamUse use)
    {
        _ended.Enqueue(use.StreamId);
        if (_ended.Count > MaxEnded) _ended.Dequeue();
        if (_streams.Remove(use.StreamId, out RunningStream? stream)) Charge(state, meter, stream, use.Tokens, time.GetUtcNow());
    }

    /// <summary>Counts training steps of today; refused beyond the bound.</summary>
    public void CountTraining(UserState state, UserMeter meter, long steps)
    {
        DateOnly today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        long used = meter.TrainingDay == today ? meter.TrainingSteps : 0;
        long bound = Quota(state).TrainingStepsPerDay!.Value;
        if (steps > bound - used)
        {
            throw new RequestException(RequestError.QuotaExceeded, $"training steps: {used} of {bound} were used today, and {steps} more were asked for: wait for tomorrow (UTC).");
        }
        (meter.TrainingDay, meter.TrainingSteps, meter.IsDue) = (today, used + steps, true);
    }

    /// <summary>A version beyond the bound is not loaded.</summary>
    public void RefuseTooLargeToLoad(UserState state, long bytes)
    {
        long bound = Quota(state).ResidentBytes!.Value;
        if (bytes <= bound) return;
        throw new RequestException(RequestError.QuotaExceeded, $"resident bytes: this version has {bytes}, and {bound} is its owner's bound: ask the operator.");
    }

    /// <summary>Called after the meter was stored.</summary>
    public void MarkSaved(UserMeter meter)
    {
        (meter.UnsavedShare, meter.IsDue) = (0, false);
        foreach ((string token, TokenMeter counted) in meter.ByToken)
        {
            if (counted.LastUsedAt is { } used) _lastUsedStored[token] = used;
        }
    }

    private UserQuota Quota(UserState state) => (state.Quota ?? new UserQuota()).Over(defaults);

    private static TokenLimits? TokenLimits(UserState state, string? tokenId) =>
        tokenId is not null && state.Tokens.TryGetValue(tokenId, out StoredToken? token) ? token.Limits : null;

    private static bool IsAlive(UserState state, Bearer bearer, DateTimeOffset now)
    {
        if (bearer.ExpiresAt <= now) return false;
        return bearer.TokenId is not { } id || (state.Tokens.TryGetValue(id, out StoredToken? token) && token.Accepts(bearer.Serial, now));
    }

    private static void RefuseBeyondPlaces(int used, int bound)
    {
        if (used < bound) return;
        throw new RequestException(RequestError.RateLimited, $"streams: {used} answers are being made, and {bound} is the bound: wait for one to end.")
        {
            RetryAfter = StreamRetryAfter,
        };
    }

    /// <summary>The rates that a credential counts against, filled up to now.</summary>
    private (ImmutableArray<Rate> Requests, ImmutableArray<Rate> Tokens) Rates(UserState state, UserMeter meter, string? tokenId, DateTimeOffset now)
    {
        UserQuota quota = Quota(state);
        Rate requests = Filled(meter.Requests ??= Bucket.Full(quota.RequestsPerMinute!.Value, now), quota.RequestsPerMinute!.Value, now);
        Rate tokens = Filled(meter.Tokens ??= Bucket.Full(quota.TokensPerMinute!.Value, now), quota.TokensPerMinute!.Value, now);
        if (tokenId is null || TokenLimits(state, tokenId) is not { } limits) return ([requests], [tokens]);

        TokenMeter own = TokenMeterOf(meter, tokenId);
        return (
            limits.RequestsPerMinute is { } requestBound ? [requests, Filled(own.Requests ??= Bucket.Full(requestBound, now), requestBound, now)] : [requests],
            limits.TokensPerMinute is { } tokenBound ? [tokens, Filled(own.Tokens ??= Bucket.Full(tokenBound, now), tokenBound, now)] : [tokens]);
    }

    private static Rate Filled(Bucket bucket, long perMinute, DateTimeOffset now)
    {
        bucket.Refill(perMinute, now);
        return new Rate(bucket, perMinute);
    }

    private static TimeSpan Wait(ImmutableArray<Rate> rates, long amount)
    {
        TimeSpan longest = TimeSpan.Zero;
        foreach (Rate rate in rates)
        {
            TimeSpan wait = rate.Bucket.WaitFor(amount, rate.PerMinute);
            if (wait > longest) longest = wait;
        }
        return longest;
    }

    /// <summary>Takes an amount out; a negative one comes back.</summary>
    private static void Take(UserMeter meter, ImmutableArray<Rate> rates, long amount)
    {
        foreach (Rate rate in rates)
        {
            rate.Bucket.Level = Math.Min(rate.PerMinute, rate.Bucket.Level - amount);
            meter.UnsavedShare += Math.Abs(amount) / (double)rate.PerMinute;
        }
    }

    private void Charge(UserState state, UserMeter meter, RunningStream stream, long total, DateTimeOffset now)
    {
        if (total == stream.Charged) return;
        Take(meter, Rates(state, meter, stream.TokenId, now).Tokens, total - stream.Charged);
        stream.Charged = total;
    }

    private void Sweep(UserState state, UserMeter meter, DateTimeOffset now)
    {
        foreach (string id in _streams.Where(pair => now - pair.Value.SeenAt > StreamLifetime).Select(pair => pair.Key).ToArray())
        {
            _streams.Remove(id, out RunningStream? stream);
            Charge(state, meter, stream!, stream!.Used, now); // it was there a moment ago
        }
    }

    private void MarkUsed(UserMeter meter, string tokenId, DateTimeOffset now)
    {
        DateTimeOffset minute = new(now.Ticks - (now.Ticks % LastUsedPrecision.Ticks), TimeSpan.Zero);
        TokenMeter own = TokenMeterOf(meter, tokenId);
        if (own.LastUsedAt == minute) return;
        if (own.LastUsedAt is { } before) _lastUsedStored.TryAdd(tokenId, before);
        own.LastUsedAt = minute;
        if (!_lastUsedStored.TryGetValue(tokenId, out DateTimeOffset stored) || minute - stored >= LastUsedDelay) meter.IsDue = true;
    }

    private static TokenMeter TokenMeterOf(UserMeter meter, string tokenId)
    {
        if (!meter.ByToken.TryGetValue(tokenId, out TokenMeter? own)) meter.ByToken[tokenId] = own = new TokenMeter();
        return own;
    }

    private static RateLevels Levels(ImmutableArray<Rate> requests, ImmutableArray<Rate> tokens) => new() { Requests = Tightest(requests), Tokens = Tightest(tokens) };

    private static RateLevel Tightest(ImmutableArray<Rate> rates)
    {
        Rate tightest = rates.MinBy(rate => rate.Bucket.Level);
        return new RateLevel(tightest.PerMinute, (long)Math.Max(0, tightest.Bucket.Level), tightest.Bucket.WaitFor(tightest.PerMinute, tightest.PerMinute));
    }
}
