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
    // of the silos as overflow, an eighth trails by a point more, and no bound at all by up to a point where popularity moves.
    private const int LeastShare = 64;

    // What overflows and is above this share of the memory drives out about everything: a silo that has served it keeps its memory for more of the
    // kind. Smaller ones take turns in the room of each other, and what belongs here stays. By simulation: without this bound four silos with room for
    // fifty models each lose a point and a half.
    private const int EmptyingShare = 4;

    // For so many requests: enough to bridge a while without an overflow where they are common. A choice.
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
        if (place == ServingPlace.Overflow && bytes > budgetBytes / EmptyingShare) _overflowRequestsLeft = OverflowRequests;
        if (place != ServingPlace.Home) return false;
        if (_overflowRequestsLeft > 0)
        {
            _overflowRequestsLeft--;
            return true; // room or not: what comes next here would drive it out
        }
        return bytes > freeBytes && bytes > budgetBytes / LeastShare && !order.Outweighs(key, bytes - freeBytes, mayGo);
    }
}
