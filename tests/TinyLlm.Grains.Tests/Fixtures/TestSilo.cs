using TinyLlm.Engine;
using TinyLlm.Grains.Users;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests;

/// <summary>What one silo of a test cluster is.</summary>
internal sealed record TestSilo
{
    public bool Core { get; init; } = true;

    /// <summary>The device, or null where no session may run.</summary>
    public SimulatedBackend? Device { get; init; } = new();

    public Action<DeviceLoopOptions> Loop { get; init; } = _ => { };

    public Action<UserLimits> Limits { get; init; } = _ => { };

    /// <summary>Whatever else the silo shall have.</summary>
    public Action<ISiloBuilder> Silo { get; init; } = _ => { };
}
