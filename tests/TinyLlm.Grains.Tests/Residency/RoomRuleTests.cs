using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Tests.Residency;

public sealed class RoomRuleTests
{
    private const long Budget = 1000;

    private readonly EvictionOrder<string> _order = new();
    private readonly RoomRule<string> _rule;

    public RoomRuleTests()
    {
        _rule = new RoomRule<string>(_order);
        _order.Add("often", 500);
        for (int use = 1; use < 5; use++) _order.Use("often");
        _order.Add("seldom", 500);
    }

    [Fact]
    public void Declines_LessUsedThanWhatWouldGo_IsAskedForElsewhere()
    {
        _order.Use("new");

        Assert.True(Declines("new", bytes: 600)); // both would go
        Assert.False(Declines("new", bytes: 500)); // the one that was used once would
    }

    [Fact]
    public void Declines_UsedAsOftenAsWhatWouldGo_ComesIn()
    {
        for (int use = 0; use < 6; use++) _order.Use("new");

        Assert.False(Declines("new", bytes: 600));
    }

    [Theory]
    [InlineData(ServingPlace.Any)]
    [InlineData(ServingPlace.Overflow)]
    public void Declines_MayNot_NeverDoes(ServingPlace place) => Assert.False(_rule.Declines("new", place, 1000, 0, Budget, _ => true));

    [Fact]
    public void Declines_ThereIsRoom_ComesIn() => Assert.False(_rule.Declines("new", ServingPlace.Home, 600, 600, Budget, _ => true));

    [Fact]
    public void Declines_AllIsInUse_IsAskedForElsewhere() => Assert.True(_rule.Declines("new", ServingPlace.Home, 600, 0, Budget, _ => false));

    [Fact]
    public void Declines_SmallShare_ComesIn()
    {
        Assert.False(Declines("new", bytes: Budget / 64));
        _order.Use("seldom");
        Assert.True(Declines("new", bytes: (Budget / 64) + 1));
    }

    [Fact]
    public void Declines_AfterAnOverflowThatEmptiesTheMemory_KeepsItForMoreOfThem()
    {
        _rule.Declines("large", ServingPlace.Overflow, Budget / 2, 0, Budget, _ => true);

        Assert.True(_rule.Declines("new", ServingPlace.Home, 1, Budget, Budget, _ => true));
        for (int request = 0; request < 1000; request++) _rule.Declines("new", ServingPlace.Home, 1, Budget, Budget, _ => true);
        Assert.False(_rule.Declines("new", ServingPlace.Home, 1, Budget, Budget, _ => true));
    }

    [Fact]
    public void Declines_AfterASmallOverflow_StaysHome()
    {
        _rule.Declines("small", ServingPlace.Overflow, Budget / 8, 0, Budget, _ => true);

        Assert.False(_rule.Declines("new", ServingPlace.Home, 1, Budget, Budget, _ => true));
    }

    private bool Declines(string key, long bytes) => _rule.Declines(key, ServingPlace.Home, bytes, freeBytes: 0, Budget, _ => true);
}
