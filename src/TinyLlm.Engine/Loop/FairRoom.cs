namespace TinyLlm.Engine;

/// <summary>
/// How much of a shared room one of its users may hold: less than a fixed multiple of what is free (Choudhury and Hahne, "Dynamic queue length
/// thresholds in a shared-memory packet switch", 1998). However many fill it, the next newcomer finds room, and nobody's share is set beforehand.
/// </summary>
internal static class FairRoom
{
    // With 3 one holder takes up to three quarters, two take three sevenths each, ten take three thirty-firsts. A choice: 1 would leave a lone
    // holder half of the room.
    private const long Multiple = 3;

    /// <summary>Whether who holds <paramref name="held"/> may take more while <paramref name="free"/> is left. Who holds nothing may.</summary>
    public static bool Allows(long held, long free) => held == 0 || held < Multiple * free;

    /// <summary>The least that must be free for <see cref="Allows"/>.</summary>
    public static long LeastFree(long held) => held == 0 ? 0 : held / Multiple + 1;
}
