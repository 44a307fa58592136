namespace TinyLlm.Engine;

/// <summary>
/// A turn in which the caller with the least service has a prompt leaves out callers that are well ahead of it: their tokens would only make it
/// wait. Such a turn costs those left out a step's fixed time, so there is at most one in ten, a few in a row. The loop's thread owns it.
/// </summary>
internal sealed class HeadStart(DeviceLoopOptions options, CallerShares shares)
{
    // One turn in eleven can't cost more than a tenth of the throughput, whatever a step costs. Four in a row: newcomers come together.
    private const double PerTurn = 0.1, Most = 4;

    private double _saved = Most;

    /// <summary>The service beyond which a caller is left out of this turn; infinity: nobody is.</summary>
    public double Limit(List<Sequence> running)
    {
        _saved = Math.Min(Most, _saved + PerTurn);
        if (shares.Present < 2 || _saved < 1) return double.PositiveInfinity;
        double least = double.PositiveInfinity;
        foreach (Sequence sequence in running)
        {
            if (sequence.IsPrefilling) least = Math.Min(least, sequence.Share.Service);
        }
        // Well ahead: by a whole turn's prompts.
        double limit = least + options.PrefillTokens;
        if (!running.Exists(sequence => sequence.Share.Service > limit)) return double.PositiveInfinity;
        _saved--;
        return limit;
    }
}
