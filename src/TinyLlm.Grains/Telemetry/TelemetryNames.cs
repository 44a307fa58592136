using TinyLlm.Engine;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Telemetry;

/// <summary>What a host subscribes to, to see sessions, models and engine.</summary>
public static class TelemetryNames
{
    /// <summary>Meters.</summary>
    public static IReadOnlyList<string> Meters { get; } = [EngineMeter.Name, ResidencyMeter.Name];

    /// <summary>Sources of spans.</summary>
    public static IReadOnlyList<string> Sources { get; } = [GrainTraces.SourceName, EngineTraces.SourceName];
}
