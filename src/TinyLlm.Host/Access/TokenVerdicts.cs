using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Internal;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Host.Access;

/// <summary>
/// Asks the user's grain what a token may do, which counts the request on the way: one call, so the count is exact however many processes ask,
/// and a revocation is in force with the next request. Only refusals are kept, for half a second at most: guessing, and hammering on a used-up
/// limit, cost the grain nothing.
/// </summary>
internal sealed class TokenVerdicts(IGrainFactory grains, AdminToken admin, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(500);

    /// <summary>Refusals in memory: at a few hundred bytes each, a few megabytes.</summary>
    private const int Capacity = 10_000;

    private readonly MemoryCache _refusals = new(new MemoryCacheOptions { SizeLimit = Capacity, ExpirationScanFrequency = TimeSpan.FromSeconds(1), Clock = new CacheClock(time) });

    /// <summary>The bearer of <paramref name="token"/>, and how its request was counted; null when nobody bears it.</summary>
    public async Task<(Caller Caller, Admission? Admission)?> FindAsync(string token)
    {
        if (admin.Matches(token)) return (new Caller { Scopes = TokenScopes.Admin }, null);
        if (!AccessToken.TryParse(token, out AccessToken parsed)) return null; // the checksum fails before any grain is asked

        string key = KeyOf(token);
        if (!_refusals.TryGetValue(key, out Admission? admission))
        {
            admission = await grains.GetGrain<IUserGrain>(parsed.User.Value).Admit(token);
            if (admission.Verdict is null) Keep(key, admission, Lifetime);
            else if (admission.RetryAfter is { } wait) Keep(key, admission, wait < Lifetime ? wait : Lifetime);
        }
        return admission?.Verdict is { } verdict ? (Caller.Of(verdict), admission) : null;
    }

    /// <summary>How a request with this token was refused within the last half second; null when it has to be asked.</summary>
    public Admission? KeptRefusal(string token) => _refusals.Count > 0 && _refusals.TryGetValue(KeyOf(token), out Admission? admission) ? admission : null;

    public void Dispose() => _refusals.Dispose();

    /// <summary>The cache is keyed by a hash: the token itself stays nowhere in memory longer than its request.</summary>
    private static string KeyOf(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    private void Keep(string key, Admission admission, TimeSpan lifetime) =>
        _refusals.Set(key, admission, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = lifetime });

    /// <summary>The host's time, as the cache takes it.</summary>
    private sealed class CacheClock(TimeProvider time) : ISystemClock
    {
        public DateTimeOffset UtcNow => time.GetUtcNow();
    }
}
