using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TinyLlm.Host.Audit;
using TinyLlm.Storage;

namespace TinyLlm.Host.Tests.Audit;

public sealed class AuditRoutesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MyAudit_PagesAndFilters_AnswerWhatWasDone()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("auditor");
        await TestHost.PushAsync(user, "tiny");
        using (HttpResponseMessage made = await user.PostAsJsonAsync("/api/tokens", new { name = "ci", scopes = new[] { "read" } }, Cancel)) made.EnsureSuccessStatusCode();
        using (HttpResponseMessage deleted = await user.DeleteAsync("/api/models/auditor/tiny", Cancel))
        {
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
            Assert.True(SignedReceipt.TryParse(await deleted.Content.ReadAsByteArrayAsync(Cancel), out SignedReceipt? receipt));
            Assert.True(AuditPublicKey.TryParse(receipt.Key, out AuditPublicKey? key) && receipt.TryVerify(key, out ForgetReceiptText? text) && text.Name == "auditor/tiny");
        }

        JsonElement[] all = await EntriesAsync(user, "");
        Assert.Equal(["user.created", "upload.begun", "version.committed", "token.created", "model.deleted"], all.Select(Action));
        Assert.Equal("admin", all[0].GetProperty("actor").GetString());
        Assert.StartsWith("token:tok_", all[2].GetProperty("actor").GetString(), StringComparison.Ordinal);
        Assert.Equal(["version.committed"], (await EntriesAsync(user, "?action=version.committed")).Select(Action));
        string split = Uri.EscapeDataString(all[3].GetProperty("at").GetString()!);
        Assert.Equal(["token.created", "model.deleted"], (await EntriesAsync(user, $"?since={split}")).Select(Action));
        Assert.Equal(["user.created", "upload.begun", "version.committed"], (await EntriesAsync(user, $"?until={split}")).Select(Action));

        List<string?> paged = [];
        long? after = 0;
        while (after is not null)
        {
            JsonElement page = await user.GetFromJsonAsync<JsonElement>($"/api/me/audit?limit=2&after={after}", Cancel);
            paged.AddRange(page.GetProperty("entries").EnumerateArray().Select(Action));
            after = page.GetProperty("next_after") is { ValueKind: JsonValueKind.Number } next ? next.GetInt64() : null;
        }
        Assert.Equal(all.Select(Action), paged);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=201")]
    [InlineData("limit=x")]
    [InlineData("after=-1")]
    [InlineData("since=yesterday")]
    public async Task MyAudit_MalformedQuery_Is400(string query)
    {
        using HttpClient user = await fixture.Host.CreateUserAsync($"malformed{Guid.NewGuid():N}");
        using HttpResponseMessage response = await user.GetAsync($"/api/me/audit?{query}", Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Exports_VerifyWithTheKeyInThem_AndAreNobodyElses()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("exporter");
        await TestHost.PushAsync(user, "tiny");
        using HttpClient other = await fixture.Host.CreateUserAsync("bystander");
        await RequireIntactAsync(user, "/api/me/audit/export", entries: 3);
        await RequireIntactAsync(other, "/api/me/audit/export", entries: 1);
        await RequireIntactAsync(fixture.Host.Admin, "/api/admin/audit/export", entries: null);
        using HttpResponseMessage refused = await user.GetAsync("/api/admin/audit/export", Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }

    /// <summary>Many refused requests are one entry, in the operator's log and in that of the user whom they named.</summary>
    [Fact]
    public async Task FailedAuthentications_OfAnInterval_AreOneEntryWithTheirCount()
    {
        // The interval ends when the test says so.
        await using TestHost host = await TestHost.StartAsync(device: "none", services: services => services.AddSingleton(provider =>
            new FailedAuthentications(provider.GetRequiredService<IGrainFactory>(), new FakeTimeProvider(DateTimeOffset.UtcNow), NullLogger<FailedAuthentications>.Instance)));
        using HttpClient user = await host.CreateUserAsync("target");
        Assert.True(AccessToken.TryParse(user.DefaultRequestHeaders.Authorization!.Parameter!, out AccessToken token));
        using HttpClient guess = host.Client(AccessToken.New(token.User).Reveal());
        using HttpClient garbage = host.Client("garbage");
        for (int i = 0; i < 20; i++)
        {
            (await guess.GetAsync("/api/me", Cancel)).Dispose();
            (await garbage.GetAsync("/api/me", Cancel)).Dispose();
        }
        await host.Services.GetRequiredService<FailedAuthentications>().ReportAsync();

        JsonElement mine = Assert.Single(await EntriesAsync(user, "?action=authentication.failed"));
        Assert.Equal("20", mine.GetProperty("details").GetProperty("count").GetString());
        JsonElement page = await host.Admin.GetFromJsonAsync<JsonElement>("/api/admin/audit?action=authentication.failed", Cancel);
        Assert.Equal("40", Assert.Single(page.GetProperty("entries").EnumerateArray()).GetProperty("details").GetProperty("count").GetString());
    }

    private static async Task<JsonElement[]> EntriesAsync(HttpClient user, string query) =>
        [.. (await user.GetFromJsonAsync<JsonElement>($"/api/me/audit{query}", Cancel)).GetProperty("entries").EnumerateArray()];

    private static string? Action(JsonElement entry) => entry.GetProperty("action").GetString();

    private static async Task RequireIntactAsync(HttpClient caller, string route, int? entries)
    {
        byte[][] lines = [.. (await caller.GetStringAsync(route, Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Encoding.UTF8.GetBytes)];
        Assert.True(AuditExport.TryParseHeader(lines[0], out AuditExport? header));
        AuditVerifier verifier = new(header.Log, header.Key, held: null);
        foreach (byte[] line in lines[1..]) verifier.Add(line);
        AuditVerdict verdict = verifier.Finish();
        Assert.Equal(AuditFault.None, verdict.Fault);
        Assert.Equal(entries ?? verdict.Head.Entries, verdict.Head.Entries);
    }
}
