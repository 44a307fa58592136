using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Management;

/// <summary>Uploads over HTTP while others do something to them.</summary>
public sealed class UploadRoutesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    [Fact]
    public async Task Commit_HundredAtOnce_OnePublishes()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("racing");
        string upload = await BeginAsync(user, "m");
        foreach ((string name, byte[] bytes) in TinyModel.Files()) await user.PutAsync(Route("m", upload, name), new ByteArrayContent(bytes));

        HttpResponseMessage[] commits = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => user.PostAsync($"/api/models/m/uploads/{upload}/commit", null)));

        (HttpStatusCode Status, string Body)[] answers = await Task.WhenAll(commits.Select(async commit => (commit.StatusCode, await commit.Content.ReadAsStringAsync())));
        Assert.Single(answers.Where(answer => answer.Status == HttpStatusCode.Created).Select(answer => answer.Body).Distinct());
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.Created), answer => Assert.Equal(HttpStatusCode.Conflict, answer.Status));
        Assert.Single((await TestHost.Json(await user.GetAsync("/api/models/racing/m/versions"))).GetProperty("versions").EnumerateArray());
        foreach (HttpResponseMessage commit in commits) commit.Dispose();
    }

    /// <summary>The block is written after all of the user was deleted: whoever writes it takes it away again.</summary>
    [Fact]
    public async Task Forget_WhileAFileArrives_LeavesNoBytes()
    {
        // A client that waits with its body is cut off after a while; this one waits for as long as the machine takes.
        await using TestHost host = await TestHost.StartAsync(device: "none", services: services =>
            services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MinRequestBodyDataRate = null));
        JsonElement made = await TestHost.Json(await host.Admin.PostAsJsonAsync("/api/users", new { id = "leaving" }));
        using SocketsHttpHandler handler = new() { Expect100ContinueTimeout = Timeout.InfiniteTimeSpan };
        using HttpClient user = new(handler) { BaseAddress = host.Address };
        user.DefaultRequestHeaders.Authorization = new("Bearer", made.GetProperty("token").GetString());
        string upload = await BeginAsync(user, "m");
        using GatedContent content = new([1, 2, 3]);
        using HttpRequestMessage request = new(HttpMethod.Put, Route("m", upload, "config.json")) { Content = content };
        request.Headers.ExpectContinue = true;

        Task<HttpResponseMessage> writing = user.SendAsync(request, TestContext.Current.CancellationToken);
        await content.Asked; // the host reads the body: it holds the right to write
        Assert.Equal(HttpStatusCode.OK, (await host.Admin.DeleteAsync("/api/users/leaving")).StatusCode);
        content.Release();

        using HttpResponseMessage written = await writing;
        Assert.Equal(HttpStatusCode.NotFound, written.StatusCode);
        Assert.True(AccessToken.TryParse(made.GetProperty("token").GetString(), out AccessToken token));
        string folder = Path.Combine(host.DataFolder, "objects", "models", token.User.Value);
        Assert.Empty(Directory.Exists(folder) ? Directory.GetFiles(folder, "*", SearchOption.AllDirectories) : []);
    }

    private static async Task<string> BeginAsync(HttpClient user, string model) =>
        (await TestHost.Json(await user.PostAsync($"/api/models/{model}/uploads", null))).GetProperty("id").GetString()!;

    private static string Route(string model, string upload, string file) => $"/api/models/{model}/uploads/{upload}/files/{file}";

    /// <summary>A body that is asked for, and then waits.</summary>
    private sealed class GatedContent(byte[] bytes) : HttpContent
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously), _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public void Release() => _released.SetResult();

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            _asked.SetResult();
            await _released.Task;
            await stream.WriteAsync(bytes);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }
}
