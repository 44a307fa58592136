using System.Globalization;

namespace TinyLlm.Bench;

/// <summary>Options of one benchmark: pairs of a name and a value.</summary>
internal sealed class BenchArguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <exception cref="ArgumentException">An option that is not known, or one without its value.</exception>
    public BenchArguments(string[] arguments, params string[] known)
    {
        for (int i = 0; i < arguments.Length; i += 2)
        {
            if (arguments[i] != "--out" && !known.Contains(arguments[i], StringComparer.Ordinal))
                throw new ArgumentException($"option '{arguments[i]}' is none of --out {string.Join(' ', known)}");
            if (i + 1 == arguments.Length) throw new ArgumentException($"option '{arguments[i]}' has no value");
            _values[arguments[i]] = arguments[i + 1];
        }
    }

    /// <summary>The folder for the result file; null prints only.</summary>
    public string? Out => _values.GetValueOrDefault("--out");

    public string? Text(string option) => _values.GetValueOrDefault(option);

    public long Number(string option, long otherwise) =>
        _values.TryGetValue(option, out string? value) ? long.Parse(value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture) : otherwise;
}
