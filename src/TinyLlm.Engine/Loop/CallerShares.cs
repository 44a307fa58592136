namespace TinyLlm.Engine;

/// <summary>
/// Service that each caller has received: virtual token counters (Sheng et al., "Fairness in Serving Large Language Models", 2024).
/// Who has received least goes first. A caller that comes back is lifted to the least of those present, so nobody saves up service by
/// being away, and nobody escapes a debt by leaving. The loop's thread owns it.
/// </summary>
internal sealed class CallerShares
{
    // The paper's weights: an output token costs twice an input token.
    private const double InputWeight = 1, OutputWeight = 2;

    // Callers remembered after they left. Beyond it all who are away are forgotten, which costs them nothing and us a debt.
    private const int MaxRemembered = 4096;

    private readonly Dictionary<string, Share> _shares = new(StringComparer.Ordinal);

    public void Join(string caller)
    {
        if (!_shares.TryGetValue(caller, out Share? share))
        {
            if (_shares.Count >= MaxRemembered) Forget();
            _shares.Add(caller, share = new Share());
        }
        if (share.Sequences++ > 0) return;
        double least = double.PositiveInfinity;
        foreach (Share other in _shares.Values)
        {
            if (other != share && other.Sequences > 0) least = Math.Min(least, other.Service);
        }
        if (double.IsFinite(least)) share.Service = Math.Max(share.Service, least);
    }

    public void Leave(string caller) => _shares[caller].Sequences--;

    public void ChargeInput(string caller, int tokens) => _shares[caller].Service += InputWeight * tokens;

    public void ChargeOutput(string caller, int tokens) => _shares[caller].Service += OutputWeight * tokens;

    public double Service(string caller) => _shares[caller].Service;

    private void Forget()
    {
        foreach (string caller in _shares.Where(share => share.Value.Sequences == 0).Select(share => share.Key).ToArray()) _shares.Remove(caller);
    }

    private sealed class Share
    {
        public double Service { get; set; }

        public int Sequences { get; set; }
    }
}
