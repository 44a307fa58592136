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
    /// <param name="silos">At least one.</param>
    /// <param name="version">Which.</param>
    /// <param name="declined">How many steps of the route have been gone.</param>
    public static (SiloAddress Silo, ServingPlace Place) Step(SiloSet silos, string version, int declined)
    {
        ulong hash = RendezvousHash.HashOf(version);
        (SiloAddress first, bool isOverflow) = silos.First(hash);
        if (silos.Count == 1) return (first, ServingPlace.Any);
        if (declined == 0) return (first, ServingPlace.Home);
        if (!isOverflow) declined++; // its own silo is the home beside the overflow: one step less
        return declined switch
        {
            1 => (silos.First(hash, isOverflow: false), ServingPlace.Home),
            2 => (silos.First(hash, isOverflow: true), ServingPlace.Overflow),
            _ => (silos.First(hash, isOverflow: false), ServingPlace.Any),
        };
    }

    /// <summary>A sixteenth of two or more silos, at least one.</summary>
    public static HashSet<SiloAddress> Overflow(IReadOnlyCollection<SiloAddress> silos) =>
        [.. RendezvousHash.Ranked(OverflowKey, silos).Take(Math.Max(1, silos.Count / SilosPerOverflow))];
}
