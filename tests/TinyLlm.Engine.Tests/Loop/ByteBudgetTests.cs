namespace TinyLlm.Engine.Tests;

public sealed class ByteBudgetTests
{
    [Fact]
    public void TryReserve_UpToTheLimit_AndNoByteBeyond()
    {
        ByteBudget budget = new(10);
        Assert.True(budget.TryReserve(10));
        Assert.False(budget.TryReserve(1));
        Assert.True(budget.TryReserve(0));
        budget.Release(4);
        Assert.False(budget.TryReserve(long.MaxValue));
        Assert.True(budget.TryReserve(4));
        Assert.Equal(10, budget.ReservedBytes);
    }

    [Fact]
    public void Release_MoreThanReserved_Throws()
    {
        ByteBudget budget = new(10);
        budget.TryReserve(3);
        Assert.Throws<InvalidOperationException>(() => budget.Release(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => budget.Release(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => budget.TryReserve(-1));
        Assert.Equal(3, budget.ReservedBytes);
    }

    [Fact]
    public void TryReserve_ManyThreads_NeverExceeds()
    {
        ByteBudget budget = new(100);
        long most = 0;
        Parallel.For(0, 20_000, i =>
        {
            long bytes = i % 40;
            if (!budget.TryReserve(bytes)) return;
            InterlockedMax(ref most, budget.ReservedBytes);
            budget.Release(bytes);
        });
        Assert.InRange(most, 1, 100);
        Assert.Equal(0, budget.ReservedBytes);
    }

    private static void InterlockedMax(ref long target, long value)
    {
        for (long seen = Interlocked.Read(ref target); value > seen; seen = Interlocked.Read(ref target))
        {
            if (Interlocked.CompareExchange(ref target, value, seen) == seen) return;
        }
    }
}
