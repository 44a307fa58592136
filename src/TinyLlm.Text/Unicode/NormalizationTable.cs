using System.Globalization;

namespace TinyLlm.Text.Unicode;

/// <summary>Decompositions, compositions and combining classes, read once from the resource that generate-normalization.mjs wrote.</summary>
internal sealed class NormalizationTable
{
    private static readonly Lazy<NormalizationTable> Loaded = new(Read);

    private readonly Dictionary<int, int[]> canonical = [];
    private readonly Dictionary<int, int[]> compatible = [];
    private readonly Dictionary<(int First, int Second), int> composed = [];
    private readonly Dictionary<int, byte> classes = [];

    public static NormalizationTable Instance => Loaded.Value;

    /// <summary>The full decomposition, or null when the code point is its own.</summary>
    public int[]? Decomposition(int codePoint, bool compatibility) =>
        (compatibility ? compatible.GetValueOrDefault(codePoint) : null) ?? canonical.GetValueOrDefault(codePoint);

    public int? Composition(int first, int second) => composed.TryGetValue((first, second), out int result) ? result : null;

    /// <summary>The canonical combining class; 0 for most.</summary>
    public byte CombiningClass(int codePoint) => classes.GetValueOrDefault(codePoint);

    private static NormalizationTable Read()
    {
        NormalizationTable table = new();
        using Stream resource = typeof(NormalizationTable).Assembly.GetManifestResourceStream("normalization.txt")
            ?? throw new InvalidOperationException("the assembly lacks its resource 'normalization.txt'");
        using StreamReader lines = new(resource);
        while (lines.ReadLine() is { } line)
        {
            string[] parts = line.Split(' ');
            switch (parts[0])
            {
                case "D": table.canonical.Add(Hex(parts[1]), [.. parts[2..].Select(Hex)]); break;
                case "K": table.compatible.Add(Hex(parts[1]), [.. parts[2..].Select(Hex)]); break;
                case "P": table.composed.Add((Hex(parts[1]), Hex(parts[2])), Hex(parts[3])); break;
                case "C":
                    string[] range = parts[1].Split('-');
                    for (int codePoint = Hex(range[0]); codePoint <= Hex(range[1]); codePoint++) table.classes.Add(codePoint, (byte)Hex(parts[2]));
                    break;
            }
        }
        return table;
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
