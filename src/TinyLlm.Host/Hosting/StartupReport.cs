using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using TinyLlm.Grains.Residency;
using TinyLlm.Host.Telemetry;

namespace TinyLlm.Host.Hosting;

/// <summary>The few lines that a person who started the host reads.</summary>
internal static class StartupReport
{
    public static string Write(IServer server, TelemetrySettings telemetry, HostRoles roles, string adminTokenPath, Accelerator? accelerator)
    {
        IEnumerable<string> listened = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        string addresses = string.Join(", ", listened.Where(address => address != telemetry.MetricsUrl));
        if (!roles.Api)
        {
            return $"""
                TinyLlm is ready.
                  roles        {roles}
                  health       {addresses}
                  device       {Describe(accelerator)}
                """;
        }
        return $"""
            TinyLlm is ready.
              API          {addresses} (OpenAI clients: add /v1)
              admin token  {adminTokenPath}
              device       {Describe(accelerator)}
            """;
    }

    private static string Describe(Accelerator? accelerator)
    {
        if (accelerator is null) return "none: this process generates nothing";
        string budget = (accelerator.BudgetBytes / (double)(1 << 20)).ToString("N0", CultureInfo.InvariantCulture);
        return $"{accelerator.Kind} ({accelerator.Name}), {budget} MiB for weights and caches";
    }
}
