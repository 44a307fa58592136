using System.Globalization;
using TinyLlm.Grains.Access;

namespace TinyLlm.Host.Access;

/// <summary>OpenAI's "x-ratelimit" headers, on every answer to a user, refusals included.</summary>
internal static class RateHeaders
{
    private sealed class Shown
    {
        public required RateLevels Levels { get; set; }
    }

    /// <summary>Shows where the rates stand; what is shown last, before the answer begins, counts.</summary>
    public static void Show(HttpContext http, RateLevels levels)
    {
        if (http.Features.Get<Shown>() is { } shown)
        {
            shown.Levels = levels;
            return;
        }
        shown = new Shown { Levels = levels };
        http.Features.Set(shown);
        // At the start of the answer, because a refusal clears the headers that were set before it.
        http.Response.OnStarting(() =>
        {
            Write(http.Response.Headers, "requests", shown.Levels.Requests);
            Write(http.Response.Headers, "tokens", shown.Levels.Tokens);
            return Task.CompletedTask;
        });
    }

    private static void Write(IHeaderDictionary headers, string what, RateLevel level)
    {
        headers[$"x-ratelimit-limit-{what}"] = level.Limit.ToString(CultureInfo.InvariantCulture);
        headers[$"x-ratelimit-remaining-{what}"] = level.Remaining.ToString(CultureInfo.InvariantCulture);
        headers[$"x-ratelimit-reset-{what}"] = Duration(level.Reset);
    }

    /// <summary>As OpenAI writes it: "6m0s", "1.5s", "20ms".</summary>
    private static string Duration(TimeSpan time)
    {
        if (time < TimeSpan.FromSeconds(1)) return string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMilliseconds):0}ms");
        string seconds = string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds % 60:0.###}s");
        return time < TimeSpan.FromMinutes(1) ? seconds : string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalMinutes}m{seconds}");
    }
}
