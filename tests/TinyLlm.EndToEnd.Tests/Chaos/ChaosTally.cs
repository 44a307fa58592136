using System.Diagnostics;

namespace TinyLlm.EndToEnd.Tests.Chaos;

/// <summary>All requests and all blows of one run, and what follows from them.</summary>
internal sealed class ChaosTally
{
    /// <summary>A request that begins this long after a blow may still meet what it left.</summary>
    private static readonly TimeSpan s_echo = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly List<ChaosRequest> _requests = [];
    private readonly List<(string What, long At)> _blows = [];

    public int Requests => _requests.Count;

    public int Blows => _blows.Count;

    public IEnumerable<ChaosRequest> Failed => _requests.Where(request => !request.IsServed);

    public int Repeated
    {
        get
        {
            lock (_gate) return _requests.Count(request => request.IsServed && request.Faults.Count > 0);
        }
    }

    public void Add(ChaosRequest request)
    {
        lock (_gate) _requests.Add(request);
    }

    public void Strike(string what)
    {
        lock (_gate) _blows.Add((what, Stopwatch.GetTimestamp()));
    }

    /// <summary>For each blow and each client the longest time for which the client waited and heard nothing, shortest first.</summary>
    public (TimeSpan Outage, string What)[] Outages() =>
    [
        .. _blows.SelectMany(blow => _requests
            .Where(request => request.Ended >= blow.At && Stopwatch.GetElapsedTime(blow.At, request.Begun) < s_echo)
            .GroupBy(request => request.Client)
            .Select(client => (client.Max(request => request.Silence), blow.What))).Order(),
    ];

    /// <summary>The requests whose clients heard nothing for the longest time.</summary>
    public IEnumerable<ChaosRequest> Slowest(int count) => _requests.OrderByDescending(request => request.Silence).Take(count);

    /// <summary>The 99th percentile of <see cref="Outages"/>.</summary>
    public TimeSpan OutageP99()
    {
        var outages = Outages();
        return outages.Length == 0 ? TimeSpan.Zero : outages[(int)Math.Ceiling(0.99 * outages.Length) - 1].Outage;
    }

    public override string ToString()
    {
        var outages = Outages();
        string kinds = string.Join(", ", _requests.GroupBy(request => request.Kind).OrderBy(group => group.Key).Select(group => $"{group.Count()} {group.Key}"));
        return $"{Requests} requests ({kinds}), {Blows} blows; {Repeated} requests needed their second attempt, {Failed.Count()} failed; "
            + (outages.Length == 0 ? "no client was heard of" : $"longest silence of a client per blow: median {outages[outages.Length / 2].Outage.TotalSeconds:F2} s, "
                + $"p99 {OutageP99().TotalSeconds:F2} s, longest {outages[^1].Outage.TotalSeconds:F2} s ({outages[^1].What})");
    }
}
