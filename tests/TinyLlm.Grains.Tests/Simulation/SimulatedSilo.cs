using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Tests.Simulation;

/// <summary>One silo's memory: what <see cref="ModelHost"/> does with it, without loading anything.</summary>
internal sealed class SimulatedSilo
{
    private readonly EvictionOrder<int> _order = new();
    private readonly Dictionary<int, long> _resident = [];
    private readonly RoomRule<int> _room;
    private readonly long _capacityBytes;
    private long _usedBytes;

    public SimulatedSilo(long capacityBytes)
    {
        _capacityBytes = capacityBytes;
        _room = new RoomRule<int>(_order);
    }

    /// <summary>Requests that it served, from memory or after a load.</summary>
    public long Served { get; set; }

    /// <summary>What becomes of a request.</summary>
    public SimulatedAnswer Request(int model, long bytes, ServingPlace place)
    {
        _order.Use(model);
        if (_resident.ContainsKey(model))
        {
            Served++;
            return SimulatedAnswer.Hit;
        }
        long freeBytes = _capacityBytes - _usedBytes;
        if (_room.Declines(model, place, bytes, freeBytes, _capacityBytes, _ => true)) return SimulatedAnswer.Declined;
        if (bytes > _capacityBytes) return place == ServingPlace.Overflow ? SimulatedAnswer.Declined : SimulatedAnswer.Missed; // it fits nowhere
        foreach (int victim in _order.Choose(bytes - freeBytes, _ => true)!) // all together suffice
        {
            _usedBytes -= _resident[victim];
            _resident.Remove(victim);
            _order.Remove(victim);
        }
        _resident.Add(model, bytes);
        _order.Add(model, bytes);
        _usedBytes += bytes;
        if (_usedBytes > _capacityBytes) throw new InvalidOperationException($"{_usedBytes} bytes in a memory of {_capacityBytes}");
        Served++;
        return SimulatedAnswer.Missed;
    }
}
