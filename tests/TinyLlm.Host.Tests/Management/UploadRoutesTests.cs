using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Core.Internal;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Users;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Management;

/// <summary>Uploads over HTTP while others do something to them.</summary>
public sealed class UploadRoutesTests(UploadRoutesTests.PatientHost fixture) : IClassFixture<UploadRoutesTests.PatientHost>
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
        (HttpClient user, AccessToken token) = await CreatePatientAsync("leaving");
        string upload = await BeginAsync(user, "m");
        using GatedContent content = new([1, 2, 3]);
        Task<HttpResponseMessage> writing = BeginWriteAsync(user, Route("m", upload, "config.json"), content);
        await content.Asked; // the host reads the body: it holds the right to write
        Assert.Equal(HttpStatusCode.OK, (await fixture.Host.Admin.DeleteAsync("/api/users/leaving")).StatusCode);
        content.Release();

        using HttpResponseMessage written = await writing;
        Assert.Equal(HttpStatusCode.NotFound, written.StatusCode);
        string folder = Path.Combine(fixture.Host.DataFolder, "objects", "models", token.User.Value);
        Assert.Empty(Directory.Exists(folder) ? Directory.GetFiles(folder, "*", SearchOption.AllDirectories) : []);
    }

    /// <summary>Once the loss was logged, and the bytes acknowledged that another request might have replaced already.</summary>
    [Fact]
    public async Task Write_RightLostWhileTheFileArrives_IsNotAcknowledgedAndGoesOnFromItsOffset()
    {
        (HttpClient user, AccessToken token) = await CreatePatientAsync("losing");
        string upload = await BeginAsync(user, "m"), route = Route("m", upload, "README.md");
        using GatedContent content = new([1, 2, 3]);
        Task<HttpResponseMessage> writing = BeginWriteAsync(user, route, content);
        await content.Asked;

        // The right is given back in this request's name, and another has it and gives it back too.
        IUserGrain owner = Owner(token);
        await owner.EndWrite(upload, HeldLease(token), 0);
        WriteLease other = await owner.BeginWrite("m", upload, "README.md", WriteClaim.New(silo: null));
        await owner.EndWrite(upload, other.LeaseId, 0);
        content.Release();

        using HttpResponseMessage written = await writing;
        Assert.Equal(HttpStatusCode.Conflict, written.StatusCode);
        Assert.Contains("was lost", await written.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using HttpResponseMessage head = await user.SendAsync(new HttpRequestMessage(HttpMethod.Head, route));
        long offset = long.Parse(Assert.Single(head.Headers.GetValues("Upload-Offset")), CultureInfo.InvariantCulture);
        using ByteArrayContent rest = new([.. ((byte[])[1, 2, 3, 4, 5])[(int)offset..]]);
        rest.Headers.Add("Upload-Offset", $"{offset}");
        Assert.Equal(5, (await TestHost.Json(await user.PutAsync(route, rest))).GetProperty("length").GetInt64());
    }

    /// <summary>Once a file that was being sent met 409 when the silo of its owner was replaced, in every rolling upgrade.</summary>
    [Fact]
    public async Task Write_OwnersActivationEndsWhileTheFileArrives_IsAcknowledged()
    {
        (HttpClient user, AccessToken token) = await CreatePatientAsync("moving");
        string upload = await BeginAsync(user, "m"), route = Route("m", upload, "README.md");
        using GatedContent content = new([1, 2, 3]);
        Task<HttpResponseMessage> writing = BeginWriteAsync(user, route, content);
        await content.Asked;

        await Owner(token).Cast<IGrainManagementExtension>().DeactivateOnIdle();
        using HttpResponseMessage early = await user.PostAsync($"/api/models/m/uploads/{upload}/commit", null);
        Assert.Equal(HttpStatusCode.Conflict, early.StatusCode); // a file is still being written
        content.Release();

        using HttpResponseMessage written = await writing;
        Assert.Equal(3, (await TestHost.Json(written)).GetProperty("length").GetInt64());
    }

    private IUserGrain Owner(AccessToken token) => fixture.Host.Services.GetRequiredService<IGrainFactory>().GetGrain<IUserGrain>(token.User.Value);

    /// <summary>A body on its way holds memory for as long as its client likes: of those one user has only so many, and others theirs.</summary>
    [Fact]
    public async Task Write_MoreBodiesThanMayBeSentAtOnce_IsRefusedUntilOneHasEnded()
    {
        (HttpClient user, _) = await CreatePatientAsync("crowding");
        string upload = await BeginAsync(user, "m");
        GatedContent[] bodies = [.. Enumerable.Range(0, new UserLimits().ConcurrentWrites).Select(_ => new GatedContent([1]))];
        Task<HttpResponseMessage>[] writing = [.. bodies.Select((body, number) => BeginWriteAsync(user, Route("m", upload, $"{number}.safetensors"), body))];
        await Task.WhenAll(bodies.Select(body => body.Asked));

        using (HttpResponseMessage refused = await user.PutAsync(Route("m", upload, "one-more.safetensors"), new ByteArrayContent([1])))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter?.Delta);
        }
        using HttpClient other = await fixture.Host.CreateUserAsync("bystander");
        Assert.Equal(HttpStatusCode.OK, (await other.PutAsync(Route("m", await BeginAsync(other, "m"), "0.safetensors"), new ByteArrayContent([1]))).StatusCode);

        bodies[0].Release();
        Assert.Equal(HttpStatusCode.OK, (await writing[0]).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await user.PutAsync(Route("m", upload, "one-more.safetensors"), new ByteArrayContent([1]))).StatusCode);
        foreach (GatedContent body in bodies[1..]) body.Release();
        Assert.All(await Task.WhenAll(writing), written => Assert.Equal(HttpStatusCode.OK, written.StatusCode));
    }

    /// <summary>The lease of the one file that is being written, as the user's stored state has it.</summary>
    private string HeldLease(AccessToken token)
    {
        string state = Assert.Single(Directory.GetFiles(fixture.Host.DataFolder, $"{token.User.Value}.json", SearchOption.AllDirectories), path => path.Contains("user-user", StringComparison.Ordinal));
        return Regex.Match(File.ReadAllText(state), "wr_[0-9A-Za-z]+").Value;
    }

    /// <summary>A user whose client sends a body when it is asked for it, and not before.</summary>
    private async Task<(HttpClient User, AccessToken Token)> CreatePatientAsync(string name)
    {
        JsonElement made = await TestHost.Json(await fixture.Host.Admin.PostAsJsonAsync("/api/users", new { id = name }));
        string text = made.GetProperty("token").GetString()!;
        HttpClient user = new(new SocketsHttpHandler { Expect100ContinueTimeout = Timeout.InfiniteTimeSpan }) { BaseAddress = fixture.Host.Address };
        user.DefaultRequestHeaders.Authorization = new("Bearer", text);
        return (user, AccessToken.TryParse(text, out AccessToken token) ? token : throw new FormatException("the host gave a token that is none"));
    }

    private static Task<HttpResponseMessage> BeginWriteAsync(HttpClient user, string route, GatedContent content)
    {
        HttpRequestMessage request = new(HttpMethod.Put, route) { Content = content };
        request.Headers.ExpectContinue = true;
        return user.SendAsync(request, TestContext.Current.CancellationToken);
    }

    private static async Task<string> BeginAsync(HttpClient user, string model) =>
        (await TestHost.Json(await user.PostAsync($"/api/models/{model}/uploads", null))).GetProperty("id").GetString()!;

    private static string Route(string model, string upload, string file) => $"/api/models/{model}/uploads/{upload}/files/{file}";

    /// <summary>A host that waits for a body for as long as the test lets it wait: by default one that brings nothing for five seconds is cut off.</summary>
    public sealed class PatientHost : IAsyncLifetime
    {
        private TestHost? _host;

        internal TestHost Host => _host ?? throw new InvalidOperationException("The host is not started.");

        public async ValueTask InitializeAsync() => _host = await TestHost.StartAsync(device: "none", services: services =>
            services.Configure<KestrelServerOptions>(kestrel => kestrel.Limits.MinRequestBodyDataRate = null));

        public ValueTask DisposeAsync() => Host.DisposeAsync();
    }

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
