using System.CommandLine;
using System.Globalization;

namespace TinyLlm.Cli.Commands;

/// <summary><c>--expires</c>: a date, or a date and time; without a time zone it is UTC.</summary>
internal static class ExpiryOption
{
    public static Option<string?> Create() => new("--expires") { Description = "When it ends by itself, like 2030-01-31 or 2030-01-31T12:00:00Z (default: never)", HelpName = "DATE" };

    /// <summary>The moment, or null when none was given.</summary>
    public static DateTimeOffset? Read(string? text)
    {
        if (text is null) return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment)
            ? moment
            : throw new UsageException($"--expires: '{text}' is no date: write it like 2030-01-31");
    }
}
