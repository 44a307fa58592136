using TinyLlm.Grains.Placement;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// Whether a silo takes in what it does not hold, or has it asked for elsewhere: a newcomer is worth its room when it was used as often as all that would
/// have to go for it (TinyLFU's admission, of models of different sizes). Knows no model, and no lock.
/// </summary>
internal sealed class RoomRule<TKey>(EvictionOrder<TKey> order)
    where TKey : notnull
{
    // A newcomer below this share of the memory always comes in: it drives out little, and sending it on costs too. By simulation: with a 16th
    // of the silos as overflow, an eighth trails by a point more, and no bound sends on half as much again and gains nothing.
    private const int LeastShare = 32;

    // Requests for which a silo that has served an overflow keeps its memory for it: enough to bridge a while without one, where overflows are common. A choice.
    private const int OverflowRequests = 256;

    private int _overflowRequestsLeft;

    /// <summary>Whether <paramref name="key"/>, whose use was counted and which is not here, is to be asked for elsewhere.</summary>
    /// <param name="key">What is asked for.</param>
    /// <param name="place">As what this silo is asked.</param>
    /// <param name="bytes">What it would take.</param>
    /// <param name="freeBytes">What is free.</param>
    /// <param name="budgetBytes">What there is.</param>
    /// <param name="mayGo">What may be evicted for it.</param>
    public bool Declines(TKey key, ServingPlace place, long bytes, long freeBytes, long budgetBytes, Func<TKey, bool> mayGo)
    {
        if (place == ServingPlace.Overflow) _overflowRequestsLeft = OverflowRequests;
        if (place != ServingPlace.Home || bytes <= freeBytes) return false;
        if (_overflowRequestsLeft > 0)
        {
            _overflowRequestsLeft--;
            return true;
        }
        return bytes > budgetBytes / LeastShare && !order.Outweighs(key, bytes - freeBytes, mayGo);
    }
}
