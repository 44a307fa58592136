using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Memory;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Host.Access;

/// <summary>
/// Asks the user's grain what a token may do, and keeps the answer for half a second: long enough to spare a hop per request under load,
/// short enough that a revocation is in force everywhere within a second. Unknown tokens are kept too, so that guessing costs nothing.
/// </summary>
internal sealed class TokenVerdicts(IGrainFactory grains, AdminToken admin) : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMilliseconds(500);

    /// <summary>Verdicts in memory: at a few hundred bytes each, a few megabytes.</summary>
    private const int Capacity = 10_000;

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = Capacity, ExpirationScanFrequency = TimeSpan.FromSeconds(1) });

    /// <summary>The bearer of <paramref name="token"/>, or null when nobody is.</summary>
    public async Task<Caller?> FindAsync(string token)
    {
        if (admin.Matches(token)) return new Caller { Scopes = TokenScopes.Admin };
        if (!AccessToken.TryParse(token, out AccessToken parsed)) return null; // the checksum fails before any grain is asked

        // The cache is keyed by a hash: the token itself stays nowhere in memory longer than its request.
        string key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (_cache.TryGetValue(key, out Caller? known)) return known;

        TokenVerdict? verdict = await grains.GetGrain<IUserGrain>(parsed.User.Value).Authenticate(token);
        Caller? caller = verdict is null
            ? null
            : new Caller { User = verdict.User, UserName = verdict.UserName, TokenId = verdict.TokenId, Scopes = verdict.Scopes, Models = verdict.Models };
        _cache.Set(key, caller, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = Lifetime });
        return caller;
    }

    public void Dispose() => _cache.Dispose();
}
