using TinyLlm.Engine;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Replicas;

/// <summary>
/// Simulated devices that all compute equally fast, in a time that only the test moves: a round lets each of them compute so many tokens and no more, a
/// forward of n tokens being n of them. Between two forwards everything else comes to rest, so what happens does not depend on how fast this machine is.
/// </summary>
internal sealed class PacedDevices
{
    private readonly Device[] _devices;
    private readonly int _tokensPerRound;

    /// <param name="cluster">Whose devices, all of them.</param>
    /// <param name="silos">The numbers of the silos that have one.</param>
    /// <param name="tokensPerRound">What a device computes in a round.</param>
    public PacedDevices(GrainCluster cluster, IEnumerable<int> silos, int tokensPerRound)
    {
        _devices = [.. silos.Select(silo => new Device(cluster.Device(silo), cluster.Loop(silo)))];
        _tokensPerRound = tokensPerRound;
    }

    /// <summary>Forwards that each device began until now.</summary>
    public IReadOnlyList<int> Forwards => [.. _devices.Select(device => device.Forwards)];

    /// <summary>Tokens that all of them computed until now.</summary>
    public int Tokens => _devices.Sum(device => device.Computed);

    /// <summary>Computes for one round, while <paramref name="requests"/> requests are always under way: whose answer ended sends the next at once.</summary>
    public async Task RunRoundAsync(int requests)
    {
        foreach (Device device in _devices) device.Begin(_tokensPerRound);
        do await Eventually.TrueAsync(() => _devices.All(device => device.IsAtRest) && _devices.Sum(device => device.Requests) == requests);
        while (_devices.Any(device => device.TryStep()));
    }

    /// <summary>From now on they compute as fast as they can.</summary>
    public void Open()
    {
        foreach (Device device in _devices) device.Open();
    }

    private sealed class Device
    {
        private readonly SimulatedBackend _backend;
        private readonly DeviceLoop _loop;
        private SimulatedBackend.Step? _begun;
        private int _tokens, _forwards;

        public Device(SimulatedBackend backend, DeviceLoop loop)
        {
            (_backend, _loop) = (backend, loop);
            backend.Stepped = step =>
            {
                Interlocked.Increment(ref _forwards);
                Volatile.Write(ref _begun, step);
            };
            backend.Hold();
        }

        public int Computed { get; private set; }

        public int Forwards => Volatile.Read(ref _forwards);

        /// <summary>Requests that have a place on it or wait for one.</summary>
        public int Requests => _loop.Snapshot() is var now ? now.RunningSequences + now.WaitingSequences : 0;

        /// <summary>Nothing to do, or a forward that waits for its time.</summary>
        public bool IsAtRest => Volatile.Read(ref _begun) is not null || Requests == 0;

        /// <summary>Time that nothing needed is gone.</summary>
        public void Begin(int tokens) => _tokens = tokens + (Volatile.Read(ref _begun) is null ? 0 : _tokens);

        /// <summary>Lets the forward that waits end, if its time has come.</summary>
        public bool TryStep()
        {
            if (Volatile.Read(ref _begun) is not { } step || step.Ids.Sum() > _tokens) return false;
            _tokens -= step.Ids.Sum();
            Computed += step.Ids.Sum();
            Volatile.Write(ref _begun, null);
            _backend.Release();
            return true;
        }

        public void Open() => _backend.Open();
    }
}
