using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Tests;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Management;

public sealed class SilosRoutesTests
{
    [Fact]
    public async Task Silos_WhileAnAnswerRuns_ShowTheDeviceAndItsModel()
    {
        SimulatedBackend device = new();
        await using TestHost host = await TestHost.StartAsync(new Accelerator(device));
        using HttpClient user = await host.CreateUserAsync("alice");
        await TestHost.PushAsync(user, "m");
        device.Hold();
        Task<HttpResponseMessage> running = user.PostAsJsonAsync("/v1/completions", new { model = "m", prompt = "a", max_tokens = 2 });
        device.NextStep(TestContext.Current.CancellationToken);

        // A machine that stands still for some seconds makes a silent silo.
        JsonElement silo = default, resident = default;
        await Eventually.TrueAsync(async () => (silo = await GetSiloAsync(host)).GetProperty("state").GetString() != "silent");
        Assert.Equal(["api", "core", "gpu"], silo.GetProperty("roles").EnumerateArray().Select(role => role.GetString()));
        Assert.Equal("active", silo.GetProperty("state").GetString());
        Assert.Equal("simulated", silo.GetProperty("device").GetProperty("name").GetString());
        Assert.Equal(1 << 30, silo.GetProperty("budget_bytes").GetInt64());
        Assert.Equal(host.Models.Snapshot().ReservedBytes, silo.GetProperty("used_bytes").GetInt64());
        Assert.Equal((1, 0), (silo.GetProperty("running").GetInt32(), silo.GetProperty("waiting").GetInt32()));

        await Eventually.TrueAsync(async () => (resident = await GetAsync(host, "/api/admin/models/resident")).GetProperty("silent").GetArrayLength() == 0);
        JsonElement model = Assert.Single(resident.GetProperty("models").EnumerateArray());
        Assert.Equal(
            ("alice/m", "alice", silo.GetProperty("address").GetString(), "f32", 1),
            (model.GetProperty("model").GetString(), model.GetProperty("owner").GetString(), model.GetProperty("silo").GetString(),
                model.GetProperty("precision").GetString(), model.GetProperty("streams").GetInt32()));
        Assert.InRange(model.GetProperty("bytes").GetInt64(), 1, silo.GetProperty("used_bytes").GetInt64() - 1); // a cache has some of them

        device.Open();
        Assert.Equal(HttpStatusCode.OK, (await running).StatusCode);
    }

    private static async Task<JsonElement> GetSiloAsync(TestHost host) =>
        Assert.Single((await GetAsync(host, "/api/admin/silos")).GetProperty("silos").EnumerateArray());

    private static async Task<JsonElement> GetAsync(TestHost host, string path)
    {
        using HttpResponseMessage response = await host.Admin.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await TestHost.Json(response);
    }
}
