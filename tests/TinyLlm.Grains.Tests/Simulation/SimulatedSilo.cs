using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Tests.Simulation;

/// <summary>One silo's memory: what <see cref="ModelHost"/> does with it, without loading anything.</summary>
internal sealed class SimulatedSilo(long capacityBytes)
{
    private readonly EvictionOrder<int> _order = new();
    private readonly HashSet<int> _resident = [];
    private long _usedBytes;

    /// <summary>Serves a request. Whether the model was there.</summary>
    public bool Request(int model, long bytes)
    {
        _order.Use(model);
        if (_resident.Contains(model)) return true;
        if (bytes > capacityBytes) return false; // refused: it never fits
        foreach (int victim in _order.Choose(bytes - (capacityBytes - _usedBytes), _ => true)!)
        {
            _resident.Remove(victim);
            _order.Remove(victim);
            _usedBytes -= Sizes[victim];
        }
        _resident.Add(model);
        _order.Add(model, bytes);
        Sizes[model] = bytes;
        _usedBytes += bytes;
        if (_usedBytes > capacityBytes) throw new InvalidOperationException($"{_usedBytes} bytes in a memory of {capacityBytes}");
        return false;
    }

    private Dictionary<int, long> Sizes { get; } = [];
}
