using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using TinyLlm.Engine;

namespace TinyLlm.Host.Hosting;

/// <summary>The few lines that a person who started the host reads.</summary>
internal static class StartupReport
{
    public static string Write(IServer server, string adminTokenPath, EngineDeviceInfo device)
    {
        string addresses = string.Join(", ", server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []);
        string budget = (device.BudgetBytes / (double)(1 << 20)).ToString("N0", CultureInfo.InvariantCulture);
        return $"""
            TinyLlm is ready.
              API          {addresses} (OpenAI clients: add /v1)
              admin token  {adminTokenPath}
              device       {device.Kind} ({device.Name}), {budget} MiB for weights and caches
            """;
    }
}
