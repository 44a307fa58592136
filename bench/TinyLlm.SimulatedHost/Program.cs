using System.Globalization;
using TinyLlm.Grains.Residency;
using TinyLlm.Host.Hosting;
using TinyLlm.SimulatedHost;

// The host as it is, but for its device: for benchmarks of everything around a device, and no part of the product.
// --Simulated:TokensPerSecond N   how fast the device is (default: as fast as it can be)
// --Simulated:LoadSeconds N       how long it takes to bring a model into its memory (default: no time)
HostArguments arguments = HostArguments.Parse(args);
WebApplicationBuilder builder = TinyLlmApplication.CreateBuilder(
    arguments, options => new Accelerator(PacedBackend.Create(Setting("TokensPerSecond"), Setting("LoadSeconds") ?? 0, options.BudgetBytes)));
await using WebApplication app = TinyLlmApplication.Complete(builder);
await app.RunAsync();

double? Setting(string name) =>
    arguments.Settings.FirstOrDefault(setting => setting.Key == $"Simulated:{name}").Value is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;
