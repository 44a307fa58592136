using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using TinyLlm.Grains.Access;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hosting;
using TinyLlm.Host.Secrets;
using TinyLlm.Storage;

namespace TinyLlm.Host.Tests.Hosting;

public sealed class HostRolesTests
{
    [Theory]
    [InlineData("all", "api,core,gpu")]
    [InlineData("api", "api")]
    [InlineData(" gpu , core,core", "core,gpu")]
    public void Parse_KnownNames_GivesTheRoles(string text, string expected) => Assert.Equal(expected, HostRoles.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("API")]
    [InlineData("api,cpu")]
    [InlineData("all,api")]
    public void Parse_UnknownName_SaysWhatThereIs(string text) =>
        Assert.Contains("all, or some of api, core, gpu", Assert.Throws<HostStartException>(() => HostRoles.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void CreateBuilder_OneRoleWithoutACluster_RefusesAndNamesTheRemedy()
    {
        using TemporaryFolder folder = new();

        HostStartException refusal = Assert.Throws<HostStartException>(() => Create("--data", folder.FullPath, "--roles", "api"));

        Assert.Contains("--TinyLlm:Cluster:Redis", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.FullPath));
    }

    [Theory]
    [InlineData("not a=connection string,password=hush")]
    [InlineData("host:6379,unknownoption=hush")]
    public void CreateBuilder_BadRedis_RefusesWithoutRepeatingIt(string redis)
    {
        using TemporaryFolder folder = new();

        HostStartException refusal = Assert.Throws<HostStartException>(() => Create(
            "--data", folder.FullPath, "--TinyLlm:Cluster:Redis", redis, "--TinyLlm:Storage:ConnectionString", "UseDevelopmentStorage=true"));

        Assert.DoesNotContain("hush", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CreateBuilder_ClusterWithoutASharedStore_RefusesAndNamesTheRemedy()
    {
        using TemporaryFolder folder = new();

        HostStartException refusal = Assert.Throws<HostStartException>(() => Create("--data", folder.FullPath, "--TinyLlm:Cluster:Redis", "127.0.0.1:1"));

        Assert.Contains("TinyLlm:Storage:AccountUri", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--TinyLlm:Storage:ConnectionString", "AccountName=a;AccountKey=hush")]
    [InlineData("--TinyLlm:Storage:AccountUri", "http://account.example?hush")]
    public void CreateBuilder_BadStorage_RefusesWithoutRepeatingIt(string option, string value)
    {
        using TemporaryFolder folder = new();

        HostStartException refusal = Assert.Throws<HostStartException>(() => Create("--data", folder.FullPath, option, value));

        Assert.StartsWith("Storage:", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Each role reads its own keys: a process that is broken into gives away no others.</summary>
    [Theory]
    [InlineData("api", new[] { "admin-token" })]
    [InlineData("gpu", new[] { "leases" })]
    [InlineData("core", new[] { "audit", "host-1", "leases", "signing", "tokens" })]
    public void AddKeys_Role_HoldsItsKeysAndNoOthers(string role, string[] files)
    {
        using TemporaryFolder folder = new(), keys = new();
        using DataFolder data = DataFolder.Open(folder.FullPath, TimeProvider.System, keys.FullPath);
        ServiceCollection services = new();

        TinyLlmApplication.AddKeys(services, HostRoles.Parse(role), new SecretFiles(data));

        Assert.Equal(files, Directory.EnumerateFiles(keys.FullPath).Select(Path.GetFileName).Order());
        using ServiceProvider provider = services.BuildServiceProvider();
        Type[] held = [.. new[] { typeof(AdminToken), typeof(AuditKey), typeof(HostKeyRing), typeof(LeaseSigner), typeof(SigningKey), typeof(TokenHasher) }.Where(type => provider.GetService(type) is not null)];
        Assert.Equal(files.Length, held.Length);
    }

    private static WebApplicationBuilder Create(params string[] arguments) => TinyLlmApplication.CreateBuilder(HostArguments.Parse(arguments), _ => null);

    private sealed class TemporaryFolder : IDisposable
    {
        public string FullPath { get; } = Directory.CreateTempSubdirectory("tinyllm-roles-").FullName;

        public void Dispose() => Directory.Delete(FullPath, recursive: true);
    }
}
