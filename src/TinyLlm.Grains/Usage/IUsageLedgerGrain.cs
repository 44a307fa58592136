namespace TinyLlm.Grains.Usage;

/// <summary>What a user used, and what of the user's was used, in one month. Key: <see cref="UsageMonth.Key"/>.</summary>
[Alias("tinyllm.IUsageLedgerGrain")]
public interface IUsageLedgerGrain : IGrainWithStringKey
{
    /// <summary>Counts a delta, unless it was counted before; durable when this returns.</summary>
    [Alias("Add")]
    Task Add(UsageDelta delta);

    /// <summary>All of it.</summary>
    [Alias("Read")]
    Task<UsageMonth> Read();

    /// <summary>Removes it, and counts nothing that is still on its way.</summary>
    [Alias("Forget")]
    Task Forget();
}
