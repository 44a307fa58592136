using TinyLlm.Grains.Access;
using TinyLlm.Grains.Audit;
using TinyLlm.Grains.Errors;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Management;
using TinyLlm.Storage;

namespace TinyLlm.Host.Audit;

/// <summary>
/// Audit logs: a user reads its own, the operator the operator's. Pages for people and pages, and the whole log, as its lines are stored, for
/// <c>tinyllm audit verify</c>.
/// </summary>
internal static class AuditRoutes
{
    private const int MaxPage = 200;

    /// <summary>A page that filters much out ends here too, and says where to go on.</summary>
    private const int MaxScanned = 5_000;

    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/me/audit", (Caller caller, AuditReader reader, [AsParameters] AuditQuery query, CancellationToken cancel) =>
            PageAsync(OwnLog(caller), reader, query, cancel)).RequireScope(TokenScopes.Read).Produces<AuditPage>();
        routes.MapGet("/api/me/audit/export", (HttpContext http, Caller caller, AuditReader reader, ReaderPatience patience, IGrainFactory grains) =>
            ExportAsync(OwnLog(caller), http, reader, patience, grains)).RequireScope(TokenScopes.Read).WithoutTimeout().Produces(200, contentType: "application/x-ndjson");
        routes.MapGet("/api/admin/audit", (AuditReader reader, [AsParameters] AuditQuery query, CancellationToken cancel) =>
            PageAsync(AuditLogId.Operator, reader, query, cancel)).RequireScope(TokenScopes.Admin).Produces<AuditPage>();
        routes.MapGet("/api/admin/audit/export", (HttpContext http, AuditReader reader, ReaderPatience patience, IGrainFactory grains) =>
            ExportAsync(AuditLogId.Operator, http, reader, patience, grains)).RequireScope(TokenScopes.Admin).WithoutTimeout().Produces(200, contentType: "application/x-ndjson");
    }

    private static AuditLogId OwnLog(Caller caller)
    {
        caller.RequireEveryModel("The audit log");
        return AuditLogId.Of(caller.RequireUser());
    }

    private static async Task<IResult> PageAsync(AuditLogId log, AuditReader reader, AuditQuery query, CancellationToken cancellationToken)
    {
        int limit = query.Limit ?? MaxPage;
        if (limit is < 1 or > MaxPage) throw new RequestException(RequestError.Malformed, $"limit: must be between 1 and {MaxPage}.") { Parameter = "limit" };
        long after = query.After ?? 0;
        if (after < 0) throw new RequestException(RequestError.Malformed, "after: must not be negative.") { Parameter = "after" };

        List<AuditItem> items = [];
        long scanned = 0;
        await foreach (AuditEntry entry in reader.ReadAsync(log, after + 1, cancellationToken))
        {
            if (items.Count == limit || scanned == MaxScanned) return Results.Json(new AuditPage([.. items], after), JsonBody.Options);
            scanned++;
            after = entry.Number;
            bool wanted = (query.Action is null || entry.Action == query.Action) && !(entry.At < query.Since) && !(entry.At >= query.Until);
            if (wanted) items.Add(new AuditItem(entry.Number, entry.At, entry.Action, entry.Actor, entry.Subject, entry.Details));
        }
        return Results.Json(new AuditPage([.. items], null), JsonBody.Options);
    }

    /// <summary>First a line that says whose log it is and which key signs it, then the log's own lines.</summary>
    private static async Task ExportAsync(AuditLogId log, HttpContext http, AuditReader reader, ReaderPatience patience, IGrainFactory grains)
    {
        patience.Bound(http);
        string key = await grains.GetGrain<IOperatorLogGrain>(IOperatorLogGrain.Key).GetPublicKey();
        http.Response.ContentType = "application/x-ndjson";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"audit-{log.Name}.jsonl\"";
        http.Response.Headers.CacheControl = "no-store";
        await http.Response.BodyWriter.WriteAsync(AuditExport.WriteHeader(log, key), http.RequestAborted);
        await foreach (ReadOnlyMemory<byte> line in reader.ReadLinesAsync(log, 1, http.RequestAborted))
        {
            await http.Response.BodyWriter.WriteAsync(line, http.RequestAborted);
            await http.Response.BodyWriter.WriteAsync("\n"u8.ToArray(), http.RequestAborted);
        }
    }

    /// <param name="Action">Only entries of this action.</param>
    /// <param name="Since">Only entries of this time or later.</param>
    /// <param name="Until">Only entries before this time.</param>
    /// <param name="After">Only entries after this number: the "next_after" of the page before.</param>
    /// <param name="Limit">The most entries of the answer.</param>
    private sealed record AuditQuery(string? Action, DateTimeOffset? Since, DateTimeOffset? Until, long? After, int? Limit);

    private sealed record AuditItem(
        long Number, DateTimeOffset At, string Action, string Actor, string? Subject, IReadOnlyDictionary<string, string> Details);

    /// <param name="Entries">Oldest first.</param>
    /// <param name="NextAfter">What to send as "after" for the next page, or null at the end.</param>
    private sealed record AuditPage(AuditItem[] Entries, long? NextAfter);
}
