using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>The rules of a user's access tokens, over the user's state. Knows no storage and no call.</summary>
internal sealed class TokenBook(UserLimits limits, TokenHasher hasher, TimeProvider time)
{
    /// <summary>Precision of "last used": it costs nothing to keep and tells nobody an exact moment.</summary>
    private static readonly TimeSpan LastUsedPrecision = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, DateTimeOffset> _lastUsed = [];

    /// <summary>Adds a token; its text is in the answer and nowhere else.</summary>
    public IssuedToken Issue(UserState state, UserId user, TokenSpec spec)
    {
        if (state.Tokens.Count >= limits.MaxTokens)
        {
            throw new RequestException(
                RequestError.QuotaExceeded, $"tokens: this user has {state.Tokens.Count}, and {limits.MaxTokens} is the bound: delete one first.");
        }
        if (spec.ExpiresAt <= time.GetUtcNow())
        {
            throw new RequestException(RequestError.Malformed, "expires_at: must be in the future.") { Parameter = "expires_at" };
        }

        AccessToken token = AccessToken.New(user);
        string id = RandomId.New("tok_");
        state.Tokens[id] = new StoredToken
        {
            Name = spec.Name,
            Hash = hasher.Hash(token),
            Scopes = spec.Scopes,
            Models = spec.Models is { } models ? [.. models] : null,
            ExpiresAt = spec.ExpiresAt,
            CreatedAt = time.GetUtcNow(),
        };
        return new IssuedToken { Id = id, Text = token.Reveal() };
    }

    /// <summary>What <paramref name="token"/> may do, or null. Every stored hash is compared, each in constant time.</summary>
    public TokenVerdict? Check(UserState state, AccessToken token)
    {
        TokenHash hash = hasher.Hash(token);
        (string Id, StoredToken Stored)? match = null;
        foreach ((string id, StoredToken stored) in state.Tokens)
        {
            if (stored.Hash.Matches(hash)) match = (id, stored);
        }

        DateTimeOffset now = time.GetUtcNow();
        if (match is not { } found || found.Stored.ExpiresAt <= now) return null;
        _lastUsed[found.Id] = new DateTimeOffset(now.Ticks - (now.Ticks % LastUsedPrecision.Ticks), TimeSpan.Zero);
        return new TokenVerdict
        {
            User = token.User,
            UserName = state.Name,
            TokenId = found.Id,
            Scopes = found.Stored.Scopes,
            Models = found.Stored.Models?.ToImmutableArray(),
            ExpiresAt = found.Stored.ExpiresAt,
        };
    }

    public ImmutableArray<TokenFacts> List(UserState state) =>
    [
        .. state.Tokens.OrderBy(pair => pair.Value.CreatedAt).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new TokenFacts
        {
            Id = pair.Key,
            Spec = new TokenSpec
            {
                Name = pair.Value.Name,
                Scopes = pair.Value.Scopes,
                Models = pair.Value.Models?.ToImmutableArray(),
                ExpiresAt = pair.Value.ExpiresAt,
            },
            CreatedAt = pair.Value.CreatedAt,
            LastUsedAt = _lastUsed.TryGetValue(pair.Key, out DateTimeOffset used) ? used : null,
        }),
    ];

    public void Revoke(UserState state, string tokenId)
    {
        if (!state.Tokens.Remove(tokenId)) throw RequestException.NotFound("token");
        _lastUsed.Remove(tokenId);
    }
}
