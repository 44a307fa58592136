using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Sharing;

/// <summary>
/// The rules of who else may use a user's models, over the user's state. Every change leaves a notice in the state's outbox, so that it reaches
/// the index of shared models whatever happens in between. Knows no storage and no call.
/// </summary>
internal sealed class GrantBook(UserLimits limits, TimeProvider time)
{
    /// <summary>Makes or replaces a grant.</summary>
    public void Put(UserState state, GrantSpec spec)
    {
        ModelRecord model = ModelBook.Find(state, spec.Model);
        if (spec.ExpiresAt <= time.GetUtcNow())
        {
            throw new RequestException(RequestError.Malformed, "expires_at: must be in the future.") { Parameter = "expires_at" };
        }
        DropExpired(state);

        string folded = EntityName.Parse(model.Name).Folded, key = GrantRecord.Key(spec.Grantee);
        Dictionary<string, GrantRecord> grants = state.Grants.GetValueOrDefault(folded) ?? [];
        if (!grants.ContainsKey(key) && grants.Count >= limits.MaxGrants)
        {
            throw new RequestException(RequestError.QuotaExceeded, $"grants: this model has {grants.Count}, and {limits.MaxGrants} is the bound: delete one first.");
        }
        grants[key] = new GrantRecord
        {
            Grantee = spec.Grantee,
            GranteeName = spec.GranteeName,
            Rights = spec.Rights,
            ExpiresAt = spec.ExpiresAt,
            TokenBudget = spec.TokenBudget,
            CreatedAt = time.GetUtcNow(),
            Serial = Tell(state, key, folded, isShared: true),
        };
        state.Grants[folded] = grants;
    }

    /// <summary>Ends a grant; refused when there is none.</summary>
    public static void Revoke(UserState state, string modelName, UserId? grantee)
    {
        ModelRecord model = ModelBook.Find(state, modelName);
        string folded = EntityName.Parse(model.Name).Folded;
        if (!state.Grants.TryGetValue(folded, out Dictionary<string, GrantRecord>? grants) || !grants.ContainsKey(GrantRecord.Key(grantee)))
        {
            throw RequestException.NotFound("grant");
        }
        Remove(state, folded, GrantRecord.Key(grantee));
    }

    /// <summary>The grants that a model has, oldest first.</summary>
    public ImmutableArray<GrantFacts> List(UserState state, UserMeter meter, string modelName)
    {
        ModelRecord model = ModelBook.Find(state, modelName);
        DateTimeOffset now = time.GetUtcNow();
        return
        [
            .. Of(state, model.Name).Values.Where(grant => !(grant.ExpiresAt <= now)).OrderBy(grant => grant.Serial).Select(grant => new GrantFacts
            {
                Spec = new GrantSpec
                {
                    Model = model.Name,
                    Grantee = grant.Grantee,
                    GranteeName = grant.GranteeName,
                    Rights = grant.Rights,
                    ExpiresAt = grant.ExpiresAt,
                    TokenBudget = grant.TokenBudget,
                },
                CreatedAt = grant.CreatedAt,
                TokensUsed = meter.Spent.GetValueOrDefault(grant.Serial),
            }),
        ];
    }

    /// <summary>The grants that give <paramref name="caller"/> one of <paramref name="rights"/> on a model now: the caller's own before everyone's.</summary>
    public IEnumerable<GrantRecord> Find(UserState state, UserId caller, string modelName, ModelRight rights)
    {
        Dictionary<string, GrantRecord> grants = Of(state, modelName);
        DateTimeOffset now = time.GetUtcNow();
        string[] keys = [caller.Value, GrantRecord.Everyone];
        return keys.Select(grants.GetValueOrDefault).OfType<GrantRecord>().Where(grant => (grant.Rights & rights) != 0 && !(grant.ExpiresAt <= now));
    }

    /// <summary>Ends the grants of models that are gone: a model of the same name is another one.</summary>
    public static void DropOrphans(UserState state)
    {
        foreach (string folded in state.Grants.Keys.Where(folded => !state.Models.ContainsKey(folded)).ToArray()) DropAll(state, folded);
    }

    /// <summary>Ends every grant: the user is being deleted.</summary>
    public static void DropAll(UserState state)
    {
        foreach (string folded in state.Grants.Keys.ToArray()) DropAll(state, folded);
    }

    private static void DropAll(UserState state, string folded)
    {
        foreach (string key in state.Grants[folded].Keys.ToArray()) Remove(state, folded, key);
    }

    private void DropExpired(UserState state)
    {
        DateTimeOffset now = time.GetUtcNow();
        foreach ((string folded, Dictionary<string, GrantRecord> grants) in state.Grants.ToArray())
        {
            foreach (string key in grants.Where(pair => pair.Value.ExpiresAt <= now).Select(pair => pair.Key).ToArray())
            {
                Remove(state, folded, key);
            }
        }
    }

    private static void Remove(UserState state, string folded, string key)
    {
        state.Grants[folded].Remove(key);
        if (state.Grants[folded].Count == 0) state.Grants.Remove(folded);
        Tell(state, key, folded, isShared: false);
    }

    private static long Tell(UserState state, string index, string folded, bool isShared)
    {
        state.ShareOutbox.Add(new PendingShare { Index = index, Model = folded, IsShared = isShared, Serial = ++state.ShareSerial });
        return state.ShareSerial;
    }

    private static Dictionary<string, GrantRecord> Of(UserState state, string modelName) => state.Grants.GetValueOrDefault(modelName.ToLowerInvariant()) ?? [];
}
