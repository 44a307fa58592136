using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Usage;
using TinyLlm.Host.Access;
using TinyLlm.Host.Management;
using TinyLlm.Storage;

namespace TinyLlm.Host.Usage;

/// <summary>What a user used, and what of the user's was used, by day and model.</summary>
internal static class UsageRoutes
{
    private const int DefaultDays = 30;
    private const int MaxDays = 92;

    /// <summary>How far back the last change of stored bytes is looked for: a ledger a month.</summary>
    private const int MaxMonthsBack = 12;

    private static readonly DateOnly Earliest = new(2000, 1, 1);
    private static readonly DateOnly Latest = new(2999, 12, 31);

    public static void MapUsage(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/me/usage", UsageAsync).RequireScope(TokenScopes.Read).Produces<UsageReport>();

    private static async Task<IResult> UsageAsync(Caller caller, IGrainFactory grains, TimeProvider time, DateOnly? from = null, DateOnly? to = null)
    {
        UserId user = caller.RequireUser();
        DateOnly last = to ?? DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (last < Earliest || last > Latest) throw OutOfRange("to");
        DateOnly first = from ?? last.AddDays(1 - DefaultDays);
        if (first < Earliest) throw OutOfRange("from");
        int days = last.DayNumber - first.DayNumber + 1;
        if (days is < 1 or > MaxDays)
        {
            throw new RequestException(RequestError.Malformed, $"from: {days} days are asked for, and 1 to {MaxDays} is the bound.") { Parameter = "from" };
        }

        List<UsageMonth> months = [];
        for (DateOnly month = new(first.Year, first.Month, 1); month <= last; month = month.AddMonths(1)) months.Add(await LedgerOf(grains, user, month).Read());
        UsageRow[] rows = [.. months.SelectMany(month => month.Rows).Where(row => row.Day >= first && row.Day <= last && caller.MayUse(row.Model))];
        StoredBytesRow[] stored = [.. await BeforeAsync(grains, user, first), .. months.SelectMany(month => month.Stored).Where(row => row.Day <= last)];
        return Results.Json(new UsageReport(first, last, [.. rows.Select(Item)], [.. StoredByDay(stored, first, last).Where(item => caller.MayUse(item.Model))]), JsonBody.Options);
    }

    /// <summary>The last change before the month of the first day.</summary>
    private static async Task<ImmutableArray<StoredBytesRow>> BeforeAsync(IGrainFactory grains, UserId user, DateOnly first)
    {
        for (int back = 1; back <= MaxMonthsBack; back++)
        {
            UsageMonth month = await LedgerOf(grains, user, first.AddMonths(-back)).Read();
            if (month.Stored.Length > 0) return [month.Stored[^1]];
        }
        return [];
    }

    private static IUsageLedgerGrain LedgerOf(IGrainFactory grains, UserId user, DateOnly day) => grains.GetGrain<IUsageLedgerGrain>(UsageMonth.Key(user, day));

    private static IEnumerable<StoredItem> StoredByDay(StoredBytesRow[] changes, DateOnly first, DateOnly last)
    {
        for (DateOnly day = first; day <= last; day = day.AddDays(1))
        {
            if (changes.LastOrDefault(change => change.Day <= day) is not { } known) continue;
            foreach ((string model, long bytes) in known.Models.OrderBy(pair => pair.Key, StringComparer.Ordinal)) yield return new StoredItem(day, model, bytes);
        }
    }

    private static RequestException OutOfRange(string parameter) =>
        new(RequestError.Malformed, $"{parameter}: must be a day between {Earliest:O} and {Latest:O}.") { Parameter = parameter };

    private static UsageItem Item(UsageRow row) => new(
        row.Day,
        row.Model,
        row.Role == UsageRole.Owner ? "owner" : "consumer",
        row.Count.Requests,
        row.Count.PromptTokens,
        row.Count.CachedTokens,
        row.Count.CompletionTokens,
        Math.Round(row.Count.ModelTime.TotalSeconds, 3));

    /// <summary>The role is "consumer" where you used the model, and "owner" where your model was used, by you or by others.</summary>
    private sealed record UsageItem(
        DateOnly Day, string Model, string Role, long Requests, long PromptTokens, long CachedTokens, long CompletionTokens, double ModelSeconds);

    private sealed record StoredItem(DateOnly Day, string Model, long Bytes);

    /// <param name="From">The first day, in UTC.</param>
    /// <param name="To">The last day.</param>
    /// <param name="Usage">Days without use have no entry.</param>
    /// <param name="Stored">Bytes of your models at the end of each day.</param>
    private sealed record UsageReport(DateOnly From, DateOnly To, UsageItem[] Usage, StoredItem[] Stored);
}
