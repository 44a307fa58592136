using System.Net;
using TinyLlm.Grains.Placement;

namespace TinyLlm.Grains.Tests.Placement;

public sealed class ServingRouteTests
{
    [Fact]
    public void Step_OneSilo_MayNotDecline() => Assert.Equal((Silo(0), ServingPlace.Any), ServingRoute.Step(new SiloSet([Silo(0)]), "version", declined: 0));

    [Theory]
    [InlineData(2)]
    [InlineData(20)]
    [InlineData(64)]
    public void Step_AnyVersion_GoesFromHomeToTheOverflowAndEndsWhereItMustBeServed(int silos)
    {
        SiloAddress[] all = Silos(silos);
        SiloSet set = new(all);
        HashSet<SiloAddress> overflow = ServingRoute.Overflow(all);
        Assert.Equal(Math.Max(1, silos / 16), overflow.Count);

        int homesOnOverflow = 0;
        for (int version = 0; version < 500; version++)
        {
            SiloAddress[] ranked = RendezvousHash.Ranked($"version{version}", all);
            SiloAddress home = ranked.First(silo => !overflow.Contains(silo)), other = ranked.First(overflow.Contains);
            List<(SiloAddress, ServingPlace)> expected = [(home, ServingPlace.Home), (other, ServingPlace.Overflow), (home, ServingPlace.Any)];
            if (other.Equals(ranked[0]))
            {
                expected.Insert(0, (other, ServingPlace.Home));
                homesOnOverflow++;
            }
            Assert.Equal(expected, Enumerable.Range(0, expected.Count).Select(step => ServingRoute.Step(set, $"version{version}", step)));
        }
        Assert.InRange(homesOnOverflow, 1, 499);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(200)]
    public void Overflow_OneSiloMore_IsOneOfThemAtTheMost(int silos)
    {
        HashSet<SiloAddress> before = ServingRoute.Overflow(Silos(silos)), after = ServingRoute.Overflow(Silos(silos + 1));

        Assert.InRange(after.Except(before).Count(), 0, 1);
        Assert.InRange(before.Except(after).Count(), 0, 1);
    }

    private static SiloAddress[] Silos(int count) => [.. Enumerable.Range(0, count).Select(Silo)];

    private static SiloAddress Silo(int number) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 11000 + number), 1000 + number);
}
