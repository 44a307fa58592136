using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using TinyLlm.Host.Access;
using TinyLlm.Host.Secrets;
using TinyLlm.Storage;

namespace TinyLlm.Host.Tests.Secrets;

/// <summary>The admin token as a file, replaced while the host runs.</summary>
public sealed class AdminTokenFileTests
{
    [Fact]
    public async Task File_ReplacedWhileTheHostRuns_OpensTheApi()
    {
        await using TestHost host = await TestHost.StartAsync(device: "none");
        using HttpClient stranger = host.Client("tlmadmin_new");
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.GetAsync("/api/users")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Admin.GetAsync("/api/users")).StatusCode);

        string path = host.Services.GetRequiredService<DataFolder>().AdminTokenPath;
        await File.WriteAllTextAsync(path + ".new", "tlmadmin_new\n", TestContext.Current.CancellationToken);
        File.Move(path + ".new", path, overwrite: true);
        Assert.Single(host.Services.GetServices<IHostedService>().OfType<AdminTokenRotation>()).Look();

        Assert.Equal(HttpStatusCode.OK, (await stranger.GetAsync("/api/users")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.Admin.GetAsync("/api/users")).StatusCode);
    }

    [Fact]
    public async Task Rotation_AfterItsInterval_LooksByItself()
    {
        string folder = Directory.CreateTempSubdirectory("tinyllm-token-").FullName;
        try
        {
            using DataFolder data = DataFolder.Open(folder, TimeProvider.System);
            SecretFiles secrets = new(data);
            AdminToken token = new(secrets.Read(HostSecrets.AdminToken, AdminToken.NewText));
            FakeTimeProvider time = new();
            using AdminTokenRotation rotation = new(token, secrets, time, NullLogger<AdminTokenRotation>.Instance);
            await rotation.StartAsync(TestContext.Current.CancellationToken);

            await File.WriteAllTextAsync(data.AdminTokenPath, "tlmadmin_new", TestContext.Current.CancellationToken);
            Assert.False(token.Matches("tlmadmin_new"));
            while (!token.Matches("tlmadmin_new")) // the loop may not wait for its first tick yet
            {
                time.Advance(AdminTokenRotation.Interval);
                await Task.Yield();
            }

            await rotation.StopAsync(TestContext.Current.CancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
