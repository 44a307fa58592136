using TinyLlm.Tests;

namespace TinyLlm.Storage.Tests;

/// <summary>What runs at low priority, and that nothing else does for it.</summary>
public sealed class LowPriorityThreadsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_OnLinux_IsNicerThanWhoAsked_WhoGoesOnAsBefore()
    {
        Niceness.Require();
        (int before, int shared) = (Niceness.OfThisThread(), 0);

        await LowPriorityThreads.RunAsync(() => shared = Niceness.OfThisThread(), Cancel);
        int alone = await LowPriorityThreads.RunAloneAsync(Niceness.OfThisThread);

        Assert.InRange(shared, before + 1, Niceness.Most);
        Assert.Equal(shared, alone);
        Assert.Equal(before, Niceness.OfThisThread());
    }

    [Fact]
    public async Task Run_Throws_EndsSo()
    {
        await Assert.ThrowsAsync<StoreException>(() => LowPriorityThreads.RunAsync(() => throw new StoreException(StoreError.Damaged, "not what it was"), Cancel));
        await Assert.ThrowsAsync<StoreException>(() => LowPriorityThreads.RunAloneAsync<int>(() => throw new StoreException(StoreError.Damaged, "not what it was")));
        await LowPriorityThreads.RunAsync(() => { }, Cancel);
    }

    [Fact]
    public async Task Run_CancelledBeforeItsTurn_IsNotDone()
    {
        bool isDone = false;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => LowPriorityThreads.RunAsync(() => isDone = true, new CancellationToken(true)));
        Assert.False(isDone);
    }
}
