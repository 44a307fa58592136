using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Management;

/// <summary>A commit that names its files publishes those or none, and leaves the upload as it was.</summary>
public sealed class ExpectedFilesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    private const string Readme = "README.md";

    [Fact]
    public async Task Commit_NamesWhatIsThere_PublishesAndRepeats()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("exact");
        Dictionary<string, byte[]> files = TinyModel.Files();
        string upload = await UploadAsync(user, files);

        string first = await CommittedAsync(await CommitAsync(user, upload, files));

        Assert.Equal(first, await CommittedAsync(await CommitAsync(user, upload, files)));
    }

    /// <summary>Once two clients of one upload's id could publish a file with parts of both.</summary>
    [Fact]
    public async Task Commit_FileOfTwoClientsTurnByTurn_IsRefusedAndPublishesOnceSentAgain()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("mixed");
        Dictionary<string, byte[]> files = TinyModel.Files();
        files[Readme] = Encoding.UTF8.GetBytes(new string('a', 100_000));
        string upload = await UploadAsync(user, files);
        await PutAsync(user, upload, Readme, files[Readme][..50_000]);
        await PutAsync(user, upload, Readme, Encoding.UTF8.GetBytes(new string('b', 50_000)), offset: 50_000);
        string found = Hex(Encoding.UTF8.GetBytes(new string('a', 50_000) + new string('b', 50_000)));

        JsonElement refusal = await RefusedAsync(await CommitAsync(user, upload, files), "file_differs", Readme);
        string message = refusal.GetProperty("detail").GetString()!;
        Assert.Contains(found, message, StringComparison.Ordinal);
        Assert.Contains(Hex(files[Readme]), message, StringComparison.Ordinal);
        Assert.Contains("send the file anew", message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await user.GetAsync("/api/models/mixed/m")).StatusCode);

        await PutAsync(user, upload, Readme, files[Readme]);
        await CommittedAsync(await CommitAsync(user, upload, files));
        Assert.Equal(files[Readme], await user.GetByteArrayAsync($"/api/models/mixed/m/versions/1/files/{Readme}"));
    }

    [Fact]
    public async Task Commit_FileMissing_IsRefusedUntilItIsSent()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("missing");
        Dictionary<string, byte[]> files = TinyModel.Files();
        string upload = await UploadAsync(user, files);
        files[Readme] = [1, 2, 3];

        await RefusedAsync(await CommitAsync(user, upload, files), "file_not_sent", Readme);

        await PutAsync(user, upload, Readme, files[Readme]);
        await CommittedAsync(await CommitAsync(user, upload, files));
    }

    [Fact]
    public async Task Commit_FileTooMany_IsRefusedUntilItIsNamed()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("extra");
        Dictionary<string, byte[]> files = TinyModel.Files(), more = new(files) { [Readme] = [1, 2, 3] };
        string upload = await UploadAsync(user, more);

        await RefusedAsync(await CommitAsync(user, upload, files), "file_not_expected", Readme);

        await CommittedAsync(await CommitAsync(user, upload, more));
    }

    /// <summary>Whoever commits an upload second, and sent other files, must not take the first one's version for its own.</summary>
    [Fact]
    public async Task Commit_PublishedByAnotherWithOtherFiles_IsRefused()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("second");
        Dictionary<string, byte[]> theirs = TinyModel.Files(), mine = new(theirs) { [Readme] = [1, 2, 3] }, changed = new(theirs) { ["config.json"] = [.. theirs["config.json"], 32] };
        string upload = await UploadAsync(user, theirs);
        await CommittedAsync(await CommitAsync(user, upload, theirs));

        await RefusedAsync(await CommitAsync(user, upload, mine), "file_not_sent", Readme);
        JsonElement refusal = await RefusedAsync(await CommitAsync(user, upload, changed), "file_differs", "config.json");
        Assert.Contains("begin a new upload", refusal.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await CommittedAsync(await user.PostAsync(Route(upload), null)); // who expects nothing learns what is there
    }

    /// <summary>Where a body may be left out, one without a Content-Length must not be passed over.</summary>
    [Fact]
    public async Task Commit_BodyOfUntoldLength_Counts()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("chunked");
        Dictionary<string, byte[]> files = TinyModel.Files();
        string upload = await UploadAsync(user, files);
        using HttpRequestMessage request = new(HttpMethod.Post, Route(upload)) { Content = Body(new Dictionary<string, byte[]>(files) { [Readme] = [1] }) };
        request.Headers.TransferEncodingChunked = true;

        await RefusedAsync(await user.SendAsync(request), "file_not_sent", Readme);
    }

    [Theory]
    [InlineData("{}", "missing")]
    [InlineData("""{"files":[null]}""", "files[0]")]
    [InlineData("""{"files":[{"name":"config.json","sha256":"abc"}]}""", "files[0].sha256")]
    [InlineData("""{"files":[{"name":"../x","sha256":""}]}""", "name")]
    [InlineData("""{"files":[{"name":"README.md","sha256":"SUM"},{"name":"README.md","sha256":"SUM"}]}""", "files[1].name")]
    public async Task Commit_MalformedBody_Is400AndTheUploadStays(string body, string told)
    {
        using HttpClient user = await fixture.Host.CreateUserAsync($"bad-{Hex(Encoding.UTF8.GetBytes(body))[..8]}");
        string upload = await UploadAsync(user, TinyModel.Files());

        using StringContent content = new(body.Replace("SUM", Hex([]), StringComparison.Ordinal), Encoding.UTF8, "application/json");
        using HttpResponseMessage answer = await user.PostAsync(Route(upload), content);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(told, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await CommittedAsync(await user.PostAsync(Route(upload), null));
    }

    private static async Task<string> UploadAsync(HttpClient user, Dictionary<string, byte[]> files)
    {
        string upload = (await TestHost.Json(await user.PostAsync("/api/models/m/uploads", null))).GetProperty("id").GetString()!;
        foreach ((string name, byte[] bytes) in files) await PutAsync(user, upload, name, bytes);
        return upload;
    }

    private static async Task PutAsync(HttpClient user, string upload, string name, byte[] bytes, long? offset = null)
    {
        using ByteArrayContent content = new(bytes);
        if (offset is not null) content.Headers.Add("Upload-Offset", $"{offset}");
        using HttpResponseMessage put = await user.PutAsync($"/api/models/m/uploads/{upload}/files/{name}", content);
        Assert.True(put.StatusCode == HttpStatusCode.OK, await put.Content.ReadAsStringAsync());
    }

    private static async Task<HttpResponseMessage> CommitAsync(HttpClient user, string upload, Dictionary<string, byte[]> files)
    {
        using JsonContent body = Body(files);
        await body.LoadIntoBufferAsync();
        return await user.PostAsync(Route(upload), body);
    }

    private static JsonContent Body(Dictionary<string, byte[]> files) =>
        JsonContent.Create(new { files = files.Select(file => new { name = file.Key, sha256 = Hex(file.Value) }) });

    private static async Task<string> CommittedAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            string text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.StatusCode == HttpStatusCode.Created, text);
            return text;
        }
    }

    private static async Task<JsonElement> RefusedAsync(HttpResponseMessage answer, string code, string file)
    {
        using (answer)
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            JsonElement refusal = await TestHost.Json(answer);
            Assert.Equal((code, file), (refusal.GetProperty("code").GetString(), refusal.GetProperty("file").GetString()));
            return refusal;
        }
    }

    private static string Route(string upload) => $"/api/models/m/uploads/{upload}/commit";

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
