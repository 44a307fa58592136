using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Residency;
using TinyLlm.Host.Hosting;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests;

/// <summary>
/// The real host on a real port and a folder of its own, in this process, so that a test can look inside. Disposing it stops it and
/// removes the folder.
/// </summary>
internal sealed class TestHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;

    private TestHost(WebApplication app, string folder)
    {
        _app = app;
        _folder = folder;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()); // a second one is that of the metrics
        Admin = Client(File.ReadAllText(Path.Combine(folder, "admin-token")).Trim());
        Anonymous = Client(null);
    }

    public Uri Address { get; }

    public string DataFolder => _folder;

    /// <summary>A client with the operator's token.</summary>
    public HttpClient Admin { get; }

    /// <summary>A client without a token.</summary>
    public HttpClient Anonymous { get; }

    public IServiceProvider Services => _app.Services;

    public ModelHost Models => Services.GetRequiredService<ModelHost>();

    /// <summary>Starts a host on libtorch's CPU, or on <paramref name="accelerator"/>.</summary>
    public static async Task<TestHost> StartAsync(
        Accelerator? accelerator = null, Action<IServiceCollection>? services = null, string device = "cpu", params string[] settings)
    {
        string folder = Directory.CreateTempSubdirectory("tinyllm-host-").FullName;
        HostArguments arguments = HostArguments.Parse(["--urls", "http://127.0.0.1:0", "--data", folder, "--device", device, "--budget-bytes", "268435456", .. settings]);
        WebApplicationBuilder builder = TinyLlmApplication.CreateBuilder(
            arguments, options => options.Device == HostOptions.NoDevice ? null : accelerator ?? Accelerator.OpenTorch(options.Device, options.BudgetBytes, threads: 1));
        services?.Invoke(builder.Services);
        WebApplication app = TinyLlmApplication.Complete(builder);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestHost(app, folder);
    }

    /// <summary>A client with a token.</summary>
    public HttpClient Client(string? token)
    {
        // A response that is given up closes its connection at once; by default the client would read on for two seconds, to reuse it.
        SocketsHttpHandler handler = new() { MaxResponseDrainSize = 0, ResponseDrainTimeout = TimeSpan.Zero };
        HttpClient client = new(handler) { BaseAddress = Address };
        if (token is not null) client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Makes a user and answers a client with its first token.</summary>
    public async Task<HttpClient> CreateUserAsync(string name)
    {
        using HttpResponseMessage response = await Admin.PostAsJsonAsync("/api/users", new { id = name });
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return Client((await Json(response)).GetProperty("token").GetString());
    }

    /// <summary>Uploads and commits a tiny model.</summary>
    public static async Task PushAsync(HttpClient user, string model, Dictionary<string, byte[]>? files = null)
    {
        using HttpResponseMessage response = await TryPushAsync(user, model, files ?? TinyModel.Files());
        Assert.True(response.StatusCode == HttpStatusCode.Created, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Uploads the files and answers what the commit answered.</summary>
    public static async Task<HttpResponseMessage> TryPushAsync(HttpClient user, string model, Dictionary<string, byte[]> files)
    {
        using HttpResponseMessage begun = await user.PostAsync($"/api/models/{model}/uploads", null);
        string upload = (await Json(begun)).GetProperty("id").GetString()!;
        foreach ((string name, byte[] bytes) in files)
        {
            using HttpResponseMessage put = await user.PutAsync($"/api/models/{model}/uploads/{upload}/files/{name}", new ByteArrayContent(bytes));
            Assert.Equal(HttpStatusCode.OK, put.StatusCode);
        }
        return await user.PostAsync($"/api/models/{model}/uploads/{upload}/commit", null);
    }

    public static async Task<JsonElement> Json(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

    public async ValueTask DisposeAsync()
    {
        Admin.Dispose();
        Anonymous.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
