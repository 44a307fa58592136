using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Users;

namespace TinyLlm.Grains.Sharing;

/// <summary>
/// Counts what grantees take from the budgets of grants. A stream reserves its prompt, estimated, and its longest answer before it begins, so
/// streams side by side can't spend the same tokens; what it used is spent as it is told, and the rest comes back at the end. So a budget is
/// overdrawn at most by what prompts have beyond their estimate, and by the tokens of half a second until the stream is cut. Reservations live
/// in memory; a stream that an activation does not know has been counted by the one before.
/// </summary>
internal sealed class BudgetLedger(TimeProvider time)
{
    private readonly Dictionary<string, Reservation> _reservations = [];

    private sealed class Reservation
    {
        public required long Grant { get; init; }

        public required long Reserved { get; init; }

        public required long Used { get; set; }

        public required DateTimeOffset SeenAt { get; set; }
    }

    /// <summary>Reserves under the first of the grants that has room; answers the most tokens of completion that it leaves, or null for no bound.</summary>
    public long? Reserve(UserMeter meter, IReadOnlyList<GrantRecord> grants, StreamLeaseSpec spec, long contextLength)
    {
        DateTimeOffset now = time.GetUtcNow();
        Sweep(now);
        long most = 0;
        foreach (GrantRecord grant in grants)
        {
            if (grant.TokenBudget is not { } budget) return null;
            long left = budget - meter.Spent.GetValueOrDefault(grant.Serial) - Outstanding(grant.Serial);
            most = Math.Max(most, left);
            long completion = spec.MaxTokens ?? Math.Min(contextLength, left - spec.PromptTokens);
            if ((spec.MaxTokens is null && completion < 1) || spec.PromptTokens + completion > left) continue;
            _reservations[spec.StreamId] = new Reservation { Grant = grant.Serial, Reserved = spec.PromptTokens + completion, Used = 0, SeenAt = now };
            return completion;
        }
        throw new RequestException(
            RequestError.QuotaExceeded,
            $"token budget: {most} tokens of the grant are left, and the prompt takes about {spec.PromptTokens} besides {spec.MaxTokens ?? 1} or more of completion: send less, or ask the model's owner.");
    }

    /// <summary>Takes note of what a stream has used; false when its budget is overdrawn.</summary>
    public bool Renew(UserMeter meter, IReadOnlyList<GrantRecord> grants, LeaseUse use)
    {
        if (!_reservations.TryGetValue(use.StreamId, out Reservation? reservation))
        {
            if (grants.Count == 0 || grants.Any(grant => grant.TokenBudget is null)) return true;
            reservation = new Reservation { Grant = grants[0].Serial, Reserved = use.Tokens, Used = use.Tokens, SeenAt = time.GetUtcNow() };
            _reservations[use.StreamId] = reservation;
        }
        reservation.SeenAt = time.GetUtcNow();
        GrantRecord? grant = grants.FirstOrDefault(grant => grant.Serial == reservation.Grant);
        if (grant is null) return true; // replaced: the new one's budget begins with the next stream
        Spend(meter, reservation, use.Tokens);
        return meter.Spent.GetValueOrDefault(grant.Serial) <= grant.TokenBudget;
    }

    /// <summary>Settles an ended stream.</summary>
    public void End(UserMeter meter, IReadOnlyList<GrantRecord> grants, LeaseUse use)
    {
        if (_reservations.Remove(use.StreamId, out Reservation? reservation) && grants.Any(grant => grant.Serial == reservation.Grant)) Spend(meter, reservation, use.Tokens);
    }

    private static void Spend(UserMeter meter, Reservation reservation, long tokens)
    {
        if (tokens <= reservation.Used) return;
        meter.Spent[reservation.Grant] = meter.Spent.GetValueOrDefault(reservation.Grant) + tokens - reservation.Used;
        meter.IsDue = true;
        reservation.Used = tokens;
    }

    private long Outstanding(long grant) => _reservations.Values.Where(open => open.Grant == grant).Sum(open => Math.Max(0, open.Reserved - open.Used));

    private void Sweep(DateTimeOffset now)
    {
        foreach (string id in _reservations.Where(pair => now - pair.Value.SeenAt > LimitBook.StreamLifetime).Select(pair => pair.Key).ToArray()) _reservations.Remove(id);
    }
}
