using System.Net;
using System.Security.Cryptography;
using TinyLlm.Host.Hosting;
using TinyLlm.Host.Secrets;
using TinyLlm.Storage;

namespace TinyLlm.Host.Tests.Secrets;

/// <summary>The host key's rotation as docs/OPERATIONS.md has it for a key vault: a new version, one request, the old versions disabled; users are served all the time.</summary>
public sealed class VaultRotationTests
{
    private const string AdminToken = "tlmadmin_of-the-vault";

    [Fact]
    public async Task Rotate_NewVersionThenOldDisabled_ServesAllTheTime()
    {
        await using VaultServer vault = await VaultServer.StartAsync();
        foreach (string name in (string[])["host", "tokens", "leases"]) vault.Set(name, NewKey());
        vault.Set("audit", AuditKey.NewText());
        vault.Set("signing", SigningKey.NewText());
        vault.Set("admin-token", AdminToken);
        await using TestHost host = await TestHost.StartAsync(services: services => TinyLlmApplication.AddKeys(services, HostRoles.All, new VaultSecrets(vault.Client())), device: "none");
        using HttpClient admin = host.Client(AdminToken);
        using HttpClient alice = await CreateUserAsync(host, admin, "alice");
        await TestHost.PushAsync(alice, "tiny");

        vault.Set("host", NewKey());
        Assert.Equal(HttpStatusCode.OK, await DownloadAsync(alice));
        using (HttpResponseMessage rotated = await admin.PostAsync("/api/admin/host-key/rotate", null, TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.OK, rotated.StatusCode);
            Assert.Equal(1, (await TestHost.Json(rotated)).GetProperty("rewrapped").GetInt32());
        }
        vault.DisableOld("host");

        Assert.Equal(HttpStatusCode.OK, await DownloadAsync(alice));
        using HttpClient bob = await CreateUserAsync(host, admin, "bob"); // whose key the new one wraps
        await TestHost.PushAsync(bob, "tiny");
        Assert.Equal(HttpStatusCode.OK, await DownloadAsync(bob, "bob"));
        Assert.DoesNotContain("host-2", Directory.EnumerateFiles(host.DataFolder, "host-*", SearchOption.AllDirectories).Select(Path.GetFileName)); // it was the vault's key that was rotated
    }

    private static async Task<HttpClient> CreateUserAsync(TestHost host, HttpClient admin, string name)
    {
        using StringContent body = new($$"""{"id":"{{name}}"}""", System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage made = await admin.PostAsync("/api/users", body, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        return host.Client((await TestHost.Json(made)).GetProperty("token").GetString());
    }

    private static async Task<HttpStatusCode> DownloadAsync(HttpClient user, string owner = "alice")
    {
        using HttpResponseMessage answer = await user.GetAsync($"/api/models/{owner}/tiny/versions/1/files/config.json", TestContext.Current.CancellationToken);
        await answer.Content.LoadIntoBufferAsync(TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static string NewKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
}
