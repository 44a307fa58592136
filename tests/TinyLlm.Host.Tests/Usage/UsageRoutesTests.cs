using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Usage;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Usage;

public sealed class UsageRoutesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MyUsage_AfterAnswers_TellsTokensSecondsAndBytesByModel()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("counted");
        await TestHost.PushAsync(user, "tiny");
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage answer = await user.PostAsJsonAsync("/v1/completions", new { model = "tiny", prompt = "abc", max_tokens = 5, temperature = 0 }, Cancel);
            answer.EnsureSuccessStatusCode();
        }
        await fixture.Host.Services.GetRequiredService<UsageMeter>().FlushAsync();

        JsonElement report = await user.GetFromJsonAsync<JsonElement>("/api/me/usage", Cancel);
        JsonElement[] rows = [.. report.GetProperty("usage").EnumerateArray()];
        Assert.Equal(["consumer", "owner"], rows.Select(row => row.GetProperty("role").GetString()!).Order());
        foreach (JsonElement row in rows)
        {
            Assert.Equal(("counted/tiny", 2, 8), (row.GetProperty("model").GetString(), row.GetProperty("requests").GetInt64(), row.GetProperty("prompt_tokens").GetInt64()));
            Assert.InRange(row.GetProperty("completion_tokens").GetInt64(), 1, 10);
            Assert.True(row.GetProperty("model_seconds").GetDouble() >= 0);
        }
        JsonElement stored = report.GetProperty("stored").EnumerateArray().Last();
        Assert.Equal(("counted/tiny", TinyModel.Files().Values.Sum(file => (long)file.Length)), (stored.GetProperty("model").GetString(), stored.GetProperty("bytes").GetInt64()));

        using HttpClient other = await fixture.Host.CreateUserAsync("uncounted");
        Assert.Equal(0, (await other.GetFromJsonAsync<JsonElement>("/api/me/usage", Cancel)).GetProperty("usage").GetArrayLength());
    }

    /// <summary>Days between two changes have what the first left, also when it was in another month.</summary>
    [Fact]
    public async Task MyUsage_StoredBytes_GoOnUntilTheyChange()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("keeper");
        Assert.True(AccessToken.TryParse(user.DefaultRequestHeaders.Authorization!.Parameter!, out AccessToken token));
        IGrainFactory grains = fixture.Host.Services.GetRequiredService<IGrainFactory>();
        DateOnly first = new(2024, 1, 30), second = new(2024, 3, 2);
        foreach ((DateOnly day, long bytes) in ((DateOnly, long)[])[(first, 10), (second, 30)])
        {
            await grains.GetGrain<IUsageLedgerGrain>(UsageMonth.Key(token.User, day)).Add(new UsageDelta
            {
                Source = "use_test", Number = 1, Rows = [], Stored = [new StoredBytesRow { Day = day, Models = System.Collections.Immutable.ImmutableDictionary<string, long>.Empty.Add("keeper/m", bytes) }],
            });
        }
        JsonElement report = await user.GetFromJsonAsync<JsonElement>("/api/me/usage?from=2024-02-28&to=2024-03-03", Cancel);
        Assert.Equal([10, 10, 10, 30, 30], report.GetProperty("stored").EnumerateArray().Select(row => row.GetProperty("bytes").GetInt64()));
    }

    [Theory]
    [InlineData("from=2026-01-01&to=2025-01-01")]
    [InlineData("from=2020-01-01&to=2026-01-01")]
    [InlineData("from=1999-01-01&to=1999-01-02")]
    [InlineData("to=9999-12-31")]
    [InlineData("to=tomorrow")]
    public async Task MyUsage_OutOfRange_Is400(string query)
    {
        using HttpClient user = await fixture.Host.CreateUserAsync($"range{Guid.NewGuid():N}");
        using HttpResponseMessage answer = await user.GetAsync($"/api/me/usage?{query}", Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }
}
