using TinyLlm.Grains.Access;
using TinyLlm.Grains.Operators;
using TinyLlm.Grains.Residency;
using TinyLlm.Host.Access;

namespace TinyLlm.Host.Management;

/// <summary>The cluster and what is in its memory, for the operator.</summary>
internal static class SilosRoutes
{
    public static void MapSilos(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/admin/silos", ListAsync).RequireScope(TokenScopes.Admin).Produces<SiloList>();
        routes.MapGet("/api/admin/models/resident", ListModelsAsync).RequireScope(TokenScopes.Admin).Produces<ResidentList>();
    }

    private static async Task<IResult> ListAsync(ClusterView cluster, CancellationToken cancellationToken) =>
        Results.Json(new SiloList([.. (await cluster.ListAsync(cancellationToken)).Select(Entry)]), JsonBody.Options);

    private static async Task<IResult> ListModelsAsync(ClusterView cluster, CancellationToken cancellationToken)
    {
        ClusterSilo[] silos = await cluster.ListAsync(cancellationToken);
        ResidentEntry[] models = [.. silos.SelectMany(silo => (silo.Report?.Device?.Models ?? []).Select(model => ResidentEntry.Of(model, silo.Address)))];
        return Results.Json(new ResidentList(models, [.. silos.Where(silo => silo.Report is null).Select(silo => silo.Address)]), JsonBody.Options);
    }

    private static SiloEntry Entry(ClusterSilo silo)
    {
        DeviceReport? device = silo.Report?.Device;
        return new SiloEntry(
            silo.Address,
            silo.Roles.Names,
            State(silo),
            device is null ? null : new DeviceEntry(device.Kind, device.Name),
            device?.BudgetBytes,
            device?.UsedBytes,
            device?.HostBudgetBytes,
            device?.HostBytes,
            device?.Running,
            device?.Waiting,
            device is null ? null : [.. device.Models.Select(model => ResidentEntry.Of(model, silo.Address))]);
    }

    private static string State(ClusterSilo silo) => silo switch
    {
        { Report.Draining: true } => "draining",
        { Report: not null } => "active",
        { Status: SiloStatus.Active } => "silent",
        { Status: SiloStatus.Created or SiloStatus.Joining } => "joining",
        _ => "leaving",
    };

    private sealed record SiloList(SiloEntry[] Silos);

    /// <summary>One silo. Its state is joining, active, draining or leaving; or silent: a member that did not answer.</summary>
    private sealed record SiloEntry(
        string Address,
        IReadOnlyList<string> Roles,
        string State,
        DeviceEntry? Device,
        long? BudgetBytes,
        long? UsedBytes,
        long? HostBudgetBytes,
        long? HostBytes,
        int? Running,
        int? Waiting,
        ResidentEntry[]? Models);

    private sealed record DeviceEntry(string Kind, string Name);

    /// <param name="Models">Of all silos that answered.</param>
    /// <param name="Silent">Silos that did not.</param>
    private sealed record ResidentList(ResidentEntry[] Models, string[] Silent);

    private sealed record ResidentEntry(
        string Model, string Owner, string VersionId, string Silo, long Bytes, string Precision, int Streams, DateTimeOffset? ExpiresAt, bool Pinned)
    {
        public static ResidentEntry Of(ResidentReport model, string silo) =>
            new(model.Model, model.Model.Split('/')[0], model.Version.Value, silo, model.Bytes, model.Precision, model.Streams, model.ExpiresAt, model.Pinned);
    }
}
