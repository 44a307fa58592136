using System.Diagnostics;

namespace TinyLlm.Grains.Telemetry;

/// <summary>The spans that sessions and loads add to a request's trace. They hold internal ids and counts, never a text.</summary>
public static class GrainTraces
{
    /// <summary>The name of their source.</summary>
    public const string SourceName = "TinyLlm.Grains";

    internal static ActivitySource Source { get; } = new(SourceName);
}
