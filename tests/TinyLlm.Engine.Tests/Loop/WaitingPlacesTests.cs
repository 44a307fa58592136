using TinyLlm.Tests;

namespace TinyLlm.Engine.Tests;

/// <summary>One caller can't take all of what is shared: waiting places, slots and bytes.</summary>
public sealed class WaitingPlacesTests
{
    [Fact]
    public void Take_OneCallerAsksForAll_LeavesAQuarterForOthers()
    {
        WaitingPlaces places = new(new DeviceLoopOptions { MaxWaiting = 256, RetryAfter = TimeSpan.FromSeconds(7) });
        Assert.Equal(192, TakeAll(places, "busy"));
        Assert.Equal(TimeSpan.FromSeconds(7), Assert.Throws<EngineBusyException>(() => places.Take("busy")).RetryAfter);
        places.Take("light");
        places.Give("busy");
        places.Take("busy");
        Assert.Equal(193, places.Taken);
    }

    [Fact]
    public void Take_TwentyGreedyCallers_EveryOneAndANewcomerGetsAPlace()
    {
        WaitingPlaces places = new(new DeviceLoopOptions { MaxWaiting = 256 });
        for (int round = 0; round < 300; round++)
        {
            for (int caller = 0; caller < 20; caller++)
            {
                try
                {
                    places.Take($"greedy {caller}");
                }
                catch (EngineBusyException)
                {
                }
            }
        }
        places.Take("newcomer");
        Assert.InRange(places.Taken, 200, 256);
    }

    [Fact]
    public void Take_EveryPlaceTaken_IsRefusedWhoeverAsks()
    {
        WaitingPlaces places = new(new DeviceLoopOptions { MaxWaiting = 2 });
        places.Take("one");
        places.Take("two");
        Assert.Throws<EngineBusyException>(() => places.Take("three"));
        places.Give("one");
        places.Take("three");
    }

    [Fact]
    public void Take_WithoutFairness_IsFirstComeFirstServed() =>
        Assert.Equal(256, TakeAll(new WaitingPlaces(new DeviceLoopOptions { MaxWaiting = 256, IsFair = false }), "busy"));

    [Theory]
    [InlineData(false)] // slots run out
    [InlineData(true)] // bytes do
    public void Turn_BusyCallerInCompany_LeavesRoomForTheOther(bool bytesAreScarce)
    {
        DeviceLoopOptions options = new() { MaxRunning = bytesAreScarce ? 1000 : 8, PrefixCacheShare = 0 };
        using ScheduleFixture fixture = new(options, new SimulatedBackend(LoopFixture.WeightBytes + (bytesAreScarce ? 8 * 100 : 1 << 20)) { BytesPerToken = 1 }, TimeSpan.FromMilliseconds(10));
        Assert.True(fixture.Budget.TryReserve(LoopFixture.WeightBytes));
        ResidentModel model = fixture.Load();

        // Alone it takes everything.
        for (int i = 0; i < 20; i++) Assert.NotNull(fixture.Start(model, "busy", [1], 100));
        fixture.Scheduler.Turn();
        Assert.Equal(12, fixture.Waiting);

        // The other waits for one of these to end, and from then on there is room for it at once: the busy one holds three quarters.
        Sequence first = fixture.Start(model, "light", [1], 100)!;
        for (int turn = 0; turn < 200 && !first.Completion.Task.IsCompleted; turn++) fixture.Scheduler.Turn();
        Assert.True(first.Completion.Task.IsCompleted);
        for (int i = 0; i < 40; i++) fixture.Start(model, "busy", [1], 100);
        for (int turn = 0; turn < 300; turn++)
        {
            Sequence next = fixture.Start(model, "light", [1], 1)!;
            fixture.Scheduler.Turn();
            fixture.Scheduler.Turn();
            Assert.True(next.Completion.Task.IsCompleted, $"turn {turn}");
        }
    }

    private static int TakeAll(WaitingPlaces places, string caller)
    {
        int taken = 0;
        try
        {
            for (; ; taken++) places.Take(caller);
        }
        catch (EngineBusyException)
        {
            return taken;
        }
    }
}
