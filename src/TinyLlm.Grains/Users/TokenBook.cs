using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>The rules of a user's access tokens, over the user's state. Knows no storage and no call.</summary>
internal sealed class TokenBook(UserLimits limits, TokenHasher hasher, TimeProvider time)
{
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
            Limits = spec.Limits,
        };
        return new IssuedToken { Id = id, Text = token.Reveal() };
    }

    /// <summary>What <paramref name="token"/> may do, or null. Every stored hash is compared, each in constant time.</summary>
    public TokenVerdict? Check(UserState state, AccessToken token)
    {
        TokenHash hash = hasher.Hash(token);
        (string Id, StoredToken Stored, int Serial)? match = null;
        foreach ((string id, StoredToken stored) in state.Tokens)
        {
            if (stored.Hash.Matches(hash)) match = (id, stored, stored.Serial);
            if (stored.PreviousHash is { } previous && previous.Matches(hash)) match = (id, stored, stored.Serial - 1);
        }

        if (match is not { } found || !found.Stored.Accepts(found.Serial, time.GetUtcNow())) return null;
        return new TokenVerdict
        {
            User = token.User,
            UserName = state.Name,
            TokenId = found.Id,
            Scopes = found.Stored.Scopes,
            Models = found.Stored.Models?.ToImmutableArray(),
            ExpiresAt = found.Stored.ExpiresAt,
            Serial = found.Serial,
            Limits = found.Stored.Limits,
        };
    }

    /// <summary>Gives a token a fresh secret under its old id; the old secret stays valid for the grace time, an older one no longer.</summary>
    public RotatedToken Rotate(UserState state, UserId user, TokenRotation rotation)
    {
        StoredToken stored = Find(state, rotation.TokenId);
        DateTimeOffset now = time.GetUtcNow();
        if (stored.ExpiresAt <= now) throw RequestException.NotFound("token");
        RefuseWider(stored, rotation.Asking);

        AccessToken token = AccessToken.New(user);
        stored.PreviousHash = stored.Hash;
        stored.PreviousUntil = now + rotation.Grace;
        stored.Hash = hasher.Hash(token);
        stored.Serial++;
        return new RotatedToken { Text = token.Reveal(), OldValidUntil = stored.PreviousUntil.Value };
    }

    public ImmutableArray<TokenFacts> List(UserState state, UserMeter meter) =>
    [
        .. state.Tokens.OrderBy(pair => pair.Value.CreatedAt).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new TokenFacts
        {
            Id = pair.Key,
            Spec = Spec(pair.Value),
            CreatedAt = pair.Value.CreatedAt,
            LastUsedAt = meter.ByToken.GetValueOrDefault(pair.Key)?.LastUsedAt,
            PreviousUntil = pair.Value.PreviousUntil > time.GetUtcNow() ? pair.Value.PreviousUntil : null,
        }),
    ];

    /// <summary>
    /// Ends a token. What it reaches must be reached by who asks too, or a leaked one of few rights could lock its user out; when it ends and how
    /// much it may use does not matter, because a sign-in of an hour has to be able to end what leaked.
    /// </summary>
    public static void Revoke(UserState state, string tokenId, TokenSpec asking)
    {
        StoredToken stored = Find(state, tokenId);
        if (!Reaches(asking, stored)) throw new RequestException(RequestError.ScopeLacking, "This token may do more than yours: revoke it with itself, or with one that may do as much.");
        state.Tokens.Remove(tokenId);
    }

    private static StoredToken Find(UserState state, string tokenId) => state.Tokens.GetValueOrDefault(tokenId) ?? throw RequestException.NotFound("token");

    private static void RefuseWider(StoredToken stored, TokenSpec asking)
    {
        bool expiry = asking.ExpiresAt is not { } end || stored.ExpiresAt <= end;
        TokenLimits ownLimits = stored.Limits ?? new TokenLimits();
        bool limits = ownLimits.Within(asking.Limits) == ownLimits;
        if (Reaches(asking, stored) && expiry && limits) return;
        throw new RequestException(RequestError.ScopeLacking, "This token may do more than yours: rotate it with itself, or with one that may do as much.");
    }

    /// <summary>Whether every scope and model of a token is one of the asking one's too.</summary>
    private static bool Reaches(TokenSpec asking, StoredToken stored) =>
        (stored.Scopes & ~asking.Scopes) == 0
        && (asking.Models is not { } allowed || (stored.Models is { } own && own.All(model => allowed.Contains(model))));

    private static TokenSpec Spec(StoredToken stored) => new()
    {
        Name = stored.Name,
        Scopes = stored.Scopes,
        Models = stored.Models?.ToImmutableArray(),
        ExpiresAt = stored.ExpiresAt,
        Limits = stored.Limits,
    };
}
