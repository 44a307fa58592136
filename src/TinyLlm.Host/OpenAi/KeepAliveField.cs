using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Host.OpenAi;

/// <summary>
/// "keep_alive" as Ollama has it: seconds as a number, or a duration as Go writes it ("10m", "1h30m", "500ms"). 0: the model goes with the answer. Below 0: it is pinned.
/// </summary>
internal static partial class KeepAliveField
{
    public const string Name = "keep_alive";

    /// <summary>Longer than any host keeps anything, and short of overflows.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(365);

    public static KeepAlive? Read(RequestFields fields) => fields.Take(Name) is { } value ? Parse(value) : null;

    /// <summary>Null and absent: nothing is said.</summary>
    public static KeepAlive? Parse(JsonElement? value) => value switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.Number } number => Of(number.GetDouble()),
        { ValueKind: JsonValueKind.String } text => Of(Seconds(RequestFields.Text(text, Name))),
        _ => throw Malformed(),
    };

    private static KeepAlive Of(double seconds)
    {
        if (seconds < 0) return KeepAlive.Pinned;
        return seconds <= s_longest.TotalSeconds ? KeepAlive.For(TimeSpan.FromSeconds(seconds)) : throw Malformed(); // NaN is not at most anything
    }

    private static double Seconds(string text)
    {
        Match match = Duration().Match(text);
        if (!match.Success) throw Malformed();
        double seconds = 0;
        foreach ((Capture number, Capture unit) in match.Groups["number"].Captures.Zip(match.Groups["unit"].Captures))
            seconds += double.Parse(number.ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture) * UnitSeconds(unit.Value);
        return match.Groups["sign"].Value == "-" ? -seconds : seconds;
    }

    private static double UnitSeconds(string unit) => unit switch
    {
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        "ms" => 1e-3,
        "ns" => 1e-9,
        _ => 1e-6,
    };

    private static Grains.Errors.RequestException Malformed() =>
        RequestFields.Malformed(Name, "must be seconds, or a duration such as \"10m\" or \"1h30m\", of at most 8760h; below 0 it pins the model");

    [GeneratedRegex(@"^(?<sign>[-+]?)(?:0|(?:(?<number>[0-9]{1,18}(?:\.[0-9]{0,18})?)(?<unit>h|ms|m|s|us|µs|ns)){1,8})$", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();
}
