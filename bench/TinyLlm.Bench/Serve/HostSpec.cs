using System.Collections.Immutable;

namespace TinyLlm.Bench.Serve;

/// <summary>Which host is started, and how.</summary>
/// <param name="Project">Its folder in the repository.</param>
/// <param name="Settings">Arguments beside the address and the data folder.</param>
internal sealed record HostSpec(string Project, IReadOnlyList<string> Settings)
{
    public const string Product = "src/TinyLlm.Host";

    /// <summary>The host whose device is simulated.</summary>
    public const string Simulated = "bench/TinyLlm.SimulatedHost";

    /// <summary>Where its keys and the admin token lie; null: in its data folder.</summary>
    public string? KeysFolder { get; init; }

    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;
}
