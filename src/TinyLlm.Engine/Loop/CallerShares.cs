namespace TinyLlm.Engine;

/// <summary>
/// Service that each caller has received: virtual token counters (Sheng et al., "Fairness in Serving Large Language Models", 2024).
/// Who has received least goes first. A caller that comes back is lifted to nearly the least of those present, so nobody saves up more than two
/// turns' worth of prompts by being away, and nobody escapes a debt by leaving. The loop's thread owns it.
/// </summary>
internal sealed class CallerShares(DeviceLoopOptions options, TimeProvider time)
{
    // Callers remembered after they left. Beyond it all who are away are forgotten, which costs them nothing and us a debt.
    private const int MaxRemembered = 4096;

    // So long after the last other caller left, a caller may take the whole device: people come back within a minute.
    private static readonly TimeSpan s_companyLasts = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, CallerShare> _shares = new(StringComparer.Ordinal);

    /// <summary>Callers that have a sequence.</summary>
    public int Present { get; private set; }

    /// <summary>The share of a caller that has one more sequence. Without fairness all callers are one.</summary>
    public CallerShare Join(string caller)
    {
        if (!options.IsFair) caller = "";
        if (!_shares.TryGetValue(caller, out CallerShare? share))
        {
            if (_shares.Count >= MaxRemembered) ForgetAway();
            _shares.Add(caller, share = new CallerShare());
        }
        if (share.Sequences++ > 0) return share;
        Present++;
        double least = double.PositiveInfinity;
        foreach (CallerShare other in _shares.Values)
        {
            if (other != share && other.Sequences > 0) least = Math.Min(least, other.Service);
        }
        if (double.IsFinite(least)) share.Service = Math.Max(share.Service, least - 2 * options.PrefillTokens);
        return share;
    }

    /// <summary>One of its sequences ended.</summary>
    public void Leave(CallerShare share)
    {
        if (--share.Sequences > 0) return;
        Present--;
        share.LeftAt = time.GetTimestamp();
    }

    /// <summary>Whether somebody else uses the device, or did a moment ago: then a caller may hold its share only.</summary>
    public bool HasCompany(CallerShare share)
    {
        foreach (CallerShare other in _shares.Values)
        {
            if (other != share && (other.Sequences > 0 || time.GetElapsedTime(other.LeftAt) < s_companyLasts)) return true;
        }
        return false;
    }

    /// <summary>Drops what is known of a caller that has no sequence; one that has keeps its share until it left.</summary>
    public void Forget(string caller)
    {
        if (_shares.TryGetValue(caller, out CallerShare? share) && share.Sequences == 0) _shares.Remove(caller);
    }

    private void ForgetAway()
    {
        foreach (string caller in _shares.Where(share => share.Value.Sequences == 0).Select(share => share.Key).ToArray()) _shares.Remove(caller);
    }
}
