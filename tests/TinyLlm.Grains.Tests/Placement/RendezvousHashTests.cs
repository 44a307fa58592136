using System.Net;
using TinyLlm.Grains.Placement;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Tests.Placement;

public sealed class RendezvousHashTests
{
    private static readonly string[] s_keys = [.. Enumerable.Range(0, 4000).Select(i => new VersionId(i.ToString("d22", null)).Value)];

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(9)]
    public void Ranked_OneSiloMore_MovesItsShareAndNothingElse(int silos)
    {
        SiloAddress[] before = Silos(silos);
        SiloAddress[] after = [.. before, Silo(silos)];

        int moved = 0;
        foreach (string key in s_keys)
        {
            SiloAddress[] old = RendezvousHash.Ranked(key, before), now = RendezvousHash.Ranked(key, after);
            Assert.Equal(old, now.Where(silo => !silo.Equals(after[^1])));
            if (!old[0].Equals(now[0])) moved++;
        }

        double share = s_keys.Length / (silos + 1.0);
        Assert.InRange(moved, share * 0.85, share * 1.15);
    }

    [Fact]
    public void Ranked_AnyOrderOfSilos_GivesTheSame()
    {
        SiloAddress[] silos = Silos(7), shuffled = [.. silos];
        new Random(5).Shuffle(shuffled);
        foreach (string key in s_keys.Take(100)) Assert.Equal(RendezvousHash.Ranked(key, silos), RendezvousHash.Ranked(key, shuffled));
    }

    [Fact]
    public void Ranked_ManyKeys_GivesEachRankToEachSiloAlike()
    {
        SiloAddress[] silos = Silos(5);
        for (int rank = 0; rank < 5; rank++)
        {
            int current = rank;
            IEnumerable<int> counts = s_keys.GroupBy(key => RendezvousHash.Ranked(key, silos)[current]).Select(group => group.Count());
            Assert.All(counts, count => Assert.InRange(count, 800 * 0.85, 800 * 1.15));
        }
    }

    private static SiloAddress[] Silos(int count) => [.. Enumerable.Range(0, count).Select(Silo)];

    private static SiloAddress Silo(int number) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 11000 + number), 1000 + number);
}
