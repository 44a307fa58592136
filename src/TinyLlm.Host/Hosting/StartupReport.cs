using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Host.Hosting;

/// <summary>The few lines that a person who started the host reads.</summary>
internal static class StartupReport
{
    public static string Write(IServer server, string adminTokenPath, Accelerator? accelerator)
    {
        string addresses = string.Join(", ", server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []);
        return $"""
            TinyLlm is ready.
              API          {addresses} (OpenAI clients: add /v1)
              admin token  {adminTokenPath}
              device       {(accelerator is null ? "none: this host generates nothing" : Device(accelerator))}
            """;
    }

    private static string Device(Accelerator accelerator)
    {
        string budget = (accelerator.BudgetBytes / (double)(1 << 20)).ToString("N0", CultureInfo.InvariantCulture);
        return $"{accelerator.Kind} ({accelerator.Name}), {budget} MiB for weights and caches";
    }
}
