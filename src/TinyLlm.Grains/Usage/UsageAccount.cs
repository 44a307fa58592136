using TinyLlm.Storage;

namespace TinyLlm.Grains.Usage;

/// <summary>Whose use of which model one answer is. Remembers the keys of the day's ledgers: they are asked for at every token. Its caller locks.</summary>
internal sealed class UsageAccount(UserId consumer, UserId owner, string model)
{
    private DateOnly _day;

    public string Model => model;

    public string ConsumerLedger { get; private set; } = "";

    public string OwnerLedger { get; private set; } = "";

    /// <summary>From now on the ledgers are those of this day.</summary>
    public void Open(DateOnly day)
    {
        if (_day == day) return;
        (_day, ConsumerLedger, OwnerLedger) = (day, UsageMonth.Key(consumer, day), UsageMonth.Key(owner, day));
    }
}
