namespace TinyLlm.Tests;

/// <summary>How nice Linux takes threads to be: the nicer, the less of a processor that others want.</summary>
internal static class Niceness
{
    private const int FieldAfterName = 16; // of the stat file, whose 19th field it is; the second, the name, ends with the last bracket

    /// <summary>Whether this system tells it.</summary>
    public static bool IsKnown => OperatingSystem.IsLinux();

    /// <summary>Of the calling thread.</summary>
    public static int OfThisThread()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[FieldAfterName], System.Globalization.CultureInfo.InvariantCulture);
    }
}
