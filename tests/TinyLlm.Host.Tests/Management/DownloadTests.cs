using System.Net;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Management;

/// <summary>Downloads of what is not there any more.</summary>
public sealed class DownloadTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>
{
    /// <summary>It was a 500 of no code, and so was that of a version whose deletion came in between.</summary>
    [Theory]
    [InlineData("config.json.sealed", "config.json")]
    [InlineData("manifest.json", "config.json")]
    public async Task Get_FileThatTheStoreLost_IsDamagedUntilTheVersionIsDeleted(string lost, string file)
    {
        string name = $"loses{Guid.NewGuid():N}"[..20];
        using HttpClient user = await fixture.Host.CreateUserAsync(name);
        await TestHost.PushAsync(user, "m");
        string route = $"/api/models/{name}/m/versions/1/files/{file}";
        Assert.Equal(TinyModel.Files()[file], await user.GetByteArrayAsync(route));
        string newest = new DirectoryInfo(Path.Combine(fixture.Host.DataFolder, "objects", "models"))
            .EnumerateFiles(lost, SearchOption.AllDirectories).MaxBy(found => found.LastWriteTimeUtc)!.FullName;
        File.Delete(newest);

        using HttpResponseMessage damaged = await user.GetAsync(route);
        Assert.Equal((HttpStatusCode.InternalServerError, "model_damaged"), (damaged.StatusCode, (await TestHost.Json(damaged)).GetProperty("code").GetString()));

        Assert.Equal(HttpStatusCode.OK, (await user.DeleteAsync($"/api/models/{name}/m/versions/1")).StatusCode);
        using HttpResponseMessage gone = await user.GetAsync(route);
        Assert.Equal((HttpStatusCode.NotFound, "model_not_found"), (gone.StatusCode, (await TestHost.Json(gone)).GetProperty("code").GetString()));
    }
}
