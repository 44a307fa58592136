using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Memory;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Host.Access;

/// <summary>
/// Asks the user's grain what a token may do, which counts the request on the way: one call, so the count is exact however many processes ask,
/// and a revocation is in force with the next request. Only refusals are kept, for half a second at most: guessing, and hammering on a used-up
/// limit, cost the grain nothing.
/// </summary>
internal sealed class TokenVerdicts(IGrainFactory grains, AdminToken admin) : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(500);

    /// <summary>Refusals in memory: at a few hundred bytes each, a few megabytes.</summary>
    private const int Capacity = 10_000;

    private readonly MemoryCache _refusals = new(new MemoryCacheOptions { SizeLimit = Capacity, ExpirationScanFrequency = TimeSpan.FromSeconds(1) });

    /// <summary>The bearer of <paramref name="token"/>, and how its request was counted; null when nobody bears it.</summary>
    public async Task<(Caller Caller, Admission? Admission)?> FindAsync(string token)
    {
        if (admin.Matches(token)) return (new Caller { Scopes = TokenScopes.Admin }, null);
        if (!AccessToken.TryParse(token, out AccessToken parsed)) return null; // the checksum fails before any grain is asked

        // The cache is keyed by a hash: the token itself stays nowhere in memory longer than its request.
        string key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (!_refusals.TryGetValue(key, out Admission? admission))
        {
            admission = await grains.GetGrain<IUserGrain>(parsed.User.Value).Admit(token);
            if (admission.Verdict is null) Keep(key, admission, Lifetime);
            else if (admission.RetryAfter is { } wait) Keep(key, admission, wait < Lifetime ? wait : Lifetime);
        }
        return admission?.Verdict is { } verdict ? (Caller.Of(verdict), admission) : null;
    }

    public void Dispose() => _refusals.Dispose();

    private void Keep(string key, Admission admission, TimeSpan lifetime) =>
        _refusals.Set(key, admission, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = lifetime });
}
