namespace TinyLlm.Tests;

/// <summary>How nice Linux takes threads to be: the nicer, the less of a processor that others want.</summary>
internal static class Niceness
{
    /// <summary>As nice as a thread can be.</summary>
    public const int Most = 19;

    private const int FieldAfterName = 16; // of the stat file, whose 19th field it is; the second, the name, ends with the last bracket

    /// <summary>Skips the test where nothing is told of it, or nothing can be nicer than the test is.</summary>
    public static void Require()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux tells the priority of a thread");
        Assert.SkipWhen(OfThisThread() == Most, "the tests run at the lowest priority, and nothing can be below it");
    }

    /// <summary>Of the calling thread.</summary>
    public static int OfThisThread()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[FieldAfterName], System.Globalization.CultureInfo.InvariantCulture);
    }
}
