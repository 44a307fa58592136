namespace TinyLlm.Grains.Placement;

/// <summary>
/// The silos at which a version is asked for one after the other, from the version's ranking alone. A model that is used seldom has to be loaded as any
/// other, and a large one drives out of a small memory whatever else is there; so a few silos take those that their homes decline, and the others keep
/// what is used often. Without them silos with room for five to ten models trail the best fixed placement by 8 to 20 points of hit rate
/// (ResidencySimulationTests). Nobody keeps a table: which silos these are follows from the set of silos, as the ranking does.
/// </summary>
internal static class ServingRoute
{
    // A sixteenth of the silos: fewer would have to load too much each, more would leave too little memory to what is used often. By simulation.
    private const int SilosPerOverflow = 16;

    private const string OverflowKey = "overflow";

    /// <summary>
    /// Where a version is asked for after <paramref name="declined"/> silos have declined it. An overflow silo is home to its own share as long as nothing
    /// overflows, and declines it then. Where the overflow has no room either, home has to serve.
    /// </summary>
    /// <param name="ranked">The silos by the version's rank, at least one.</param>
    /// <param name="declined">How many steps of the route have been gone.</param>
    public static (SiloAddress Silo, ServingPlace Place) Step(SiloAddress[] ranked, int declined)
    {
        if (ranked.Length == 1) return (ranked[0], ServingPlace.Any);
        if (declined == 0) return (ranked[0], ServingPlace.Home); // the usual case, for which the rest need not be known
        HashSet<SiloAddress> overflow = Overflow(ranked);
        (SiloAddress, ServingPlace)[] route =
        [
            (ranked[0], ServingPlace.Home),
            .. overflow.Contains(ranked[0]) ? [(ranked.First(silo => !overflow.Contains(silo)), ServingPlace.Home)] : (ReadOnlySpan<(SiloAddress, ServingPlace)>)[],
            (ranked.First(overflow.Contains), ServingPlace.Overflow),
        ];
        return declined < route.Length ? route[declined] : (ranked.First(silo => !overflow.Contains(silo)), ServingPlace.Any);
    }

    /// <summary>A sixteenth of two or more silos, at least one.</summary>
    public static HashSet<SiloAddress> Overflow(IReadOnlyCollection<SiloAddress> silos) =>
        [.. RendezvousHash.Ranked(OverflowKey, silos).Take(Math.Max(1, silos.Count / SilosPerOverflow))];
}
