using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Tests.Residency;

public sealed class EvictionOrderTests
{
    [Fact]
    public void Choose_SameSize_TakesTheLeastUsed()
    {
        EvictionOrder<string> order = Resident(("often", 10), ("seldom", 10), ("sometimes", 10));
        Use(order, "often", 5);
        Use(order, "sometimes", 2);

        Assert.Equal(["seldom"], order.Choose(10, _ => true));
        Assert.Equal(["seldom", "sometimes"], order.Choose(11, _ => true));
    }

    [Fact]
    public void Choose_SameUses_TakesTheLargest()
    {
        EvictionOrder<string> order = Resident(("small", 10), ("large", 1000));

        Assert.Equal(["large"], order.Choose(1, _ => true));
    }

    [Fact]
    public void Choose_LargeOneMakesASmallOneNeedless_TheSmallOneStays()
    {
        EvictionOrder<string> order = Resident(("a", 10), ("b", 20), ("large", 100));
        Use(order, "large", 12); // 13 uses for 100 bytes: between b and a

        Assert.Equal(["large"], order.Choose(100, _ => true));
        Assert.Equal(["b", "large"], order.Choose(120, _ => true));
    }

    [Fact]
    public void Choose_WhatIsInUse_IsNeverTaken()
    {
        EvictionOrder<string> order = Resident(("held", 10), ("idle", 10));
        Use(order, "idle", 3);

        Assert.Equal(["idle"], order.Choose(10, key => key != "held"));
        Assert.Null(order.Choose(11, key => key != "held"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void Choose_NothingLacks_TakesNothing(long bytes) => Assert.Empty(Resident(("a", 10)).Choose(bytes, _ => true)!);

    [Fact]
    public void Add_WhatWasEvicted_HasItsOldStanding()
    {
        EvictionOrder<string> order = Resident(("back", 10), ("other", 10));
        Use(order, "back", 5);
        Use(order, "other", 2);
        order.Remove("back");
        order.Use("back");
        order.Add("back", 10);

        Assert.Equal(["other"], order.Choose(10, _ => true));
    }

    [Fact]
    public void Use_PopularityMoves_OldUsesFade()
    {
        EvictionOrder<string> order = Resident(("yesterday", 10), ("today", 10));
        Use(order, "yesterday", 1000);
        Use(order, "today", 200);

        Assert.Equal(["yesterday"], order.Choose(10, _ => true));
    }

    [Fact]
    public void Use_ManyMoreKeysThanAreRemembered_ResidentOnesStay()
    {
        EvictionOrder<int> order = new();
        for (int key = 0; key < 100; key++) order.Add(key, 10);
        for (int key = 100; key < 300_000; key++) order.Use(key);

        Assert.Equal(100, order.Choose(1000, _ => true)!.Count);
        Assert.Null(order.Choose(1001, _ => true));
    }

    /// <summary>Counts are scaled by a weight that grows without end; started anew, it must not change the order.</summary>
    [Fact]
    public void Use_WeightStartsAnew_OrderStays()
    {
        EvictionOrder<string> order = Resident(("a", 10), ("b", 10), ("c", 10));
        for (int round = 0; round < 20_000; round++)
        {
            Use(order, "a", 3);
            Use(order, "b", 2);
            Use(order, "c", 1);
            if (round % 100 == 0) Assert.Equal(["c", "b"], order.Choose(20, _ => true));
        }
    }

    private static EvictionOrder<string> Resident(params (string Key, long Bytes)[] entries)
    {
        EvictionOrder<string> order = new();
        foreach ((string key, long bytes) in entries) order.Add(key, bytes);
        return order;
    }

    private static void Use(EvictionOrder<string> order, string key, int times)
    {
        for (int i = 0; i < times; i++) order.Use(key);
    }
}
