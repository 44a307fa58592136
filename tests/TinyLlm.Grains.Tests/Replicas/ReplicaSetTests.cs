using Microsoft.Extensions.Time.Testing;
using TinyLlm.Grains.Replicas;

namespace TinyLlm.Grains.Tests.Replicas;

public sealed class ReplicaSetTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Enter_NobodyWaits_StaysOnOneReplica()
    {
        ReplicaSet set = new(_time);

        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(0, set.Enter(most: 4)));
        set.Report(waiting: 0, most: 4);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(0, set.Enter(most: 4));
    }

    [Fact]
    public void Report_RequestsWait_DoublesOnceASecondUpToTheSilos()
    {
        ReplicaSet set = new(_time);
        List<int> counts = [];
        for (int second = 0; second < 4; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            for (int i = 0; i < 10; i++) set.Report(waiting: 3, most: 4);
            counts.Add(Used(set, most: 4));
        }

        Assert.Equal([2, 4, 4, 4], counts);
    }

    [Fact]
    public void Enter_AMinuteWithoutAQueue_ShrinksByOneEach()
    {
        ReplicaSet set = new(_time);
        for (int second = 0; second < 2; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            set.Report(waiting: 1, most: 3);
        }
        List<int> counts = [Used(set, most: 3)];
        for (int minute = 0; minute < 3; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            counts.Add(Used(set, most: 3));
        }

        Assert.Equal([3, 2, 1, 1], counts);
    }

    [Fact]
    public void Enter_TwoReplicas_NeitherFallsFarBehind()
    {
        ReplicaSet set = new(_time);
        _time.Advance(TimeSpan.FromSeconds(1));
        set.Report(waiting: 1, most: 2);

        int[] running = new int[2];
        for (int i = 0; i < 1000; i++) running[set.Enter(most: 2)]++;

        Assert.Equal([500, 500], running); // of two choices between two, the lesser is always taken
        Assert.Equal(1000, set.Running);
    }

    /// <summary>How many different replicas a hundred requests meet.</summary>
    private static int Used(ReplicaSet set, int most)
    {
        int[] places = [.. Enumerable.Range(0, 100).Select(_ => set.Enter(most))];
        foreach (int place in places) set.Leave(place);
        return places.Distinct().Count();
    }
}
