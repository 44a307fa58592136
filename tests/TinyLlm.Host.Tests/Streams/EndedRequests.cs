using System.Diagnostics.Metrics;

namespace TinyLlm.Host.Tests.Streams;

/// <summary>Counts requests of a route that the web server of this process has ended, however they ended, from now on.</summary>
internal sealed class EndedRequests : IDisposable
{
    private readonly MeterListener _listener = new();
    private int _count;

    public EndedRequests(string route)
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument is { Meter.Name: "Microsoft.AspNetCore.Hosting", Name: "http.server.request.duration" }) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, _, tags, _) =>
        {
            foreach (KeyValuePair<string, object?> tag in tags)
            {
                if (tag.Key == "http.route" && tag.Value is string ended && "/" + ended.Trim('/') == route) Interlocked.Increment(ref _count);
            }
        });
        _listener.Start();
    }

    public int Count => Volatile.Read(ref _count);

    public void Dispose() => _listener.Dispose();
}
