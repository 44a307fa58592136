using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using TinyLlm.Grains.Access;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hosting;
using TinyLlm.Host.Secrets;
using TinyLlm.Storage;

namespace TinyLlm.Host.Tests.Secrets;

/// <summary>Keys and the admin token in a key vault: the SDK's client against a server that speaks its protocol.</summary>
public sealed class VaultSecretsTests
{
    private static string NewKey() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    [Fact]
    public async Task AddKeys_EveryRoleFromAVault_HoldsItsKeys()
    {
        await using VaultServer vault = await VaultServer.StartAsync();
        foreach (string name in (string[])["host", "tokens", "leases"]) vault.Set(name, NewKey());
        vault.Set("audit", AuditKey.NewText());
        vault.Set("signing", SigningKey.NewText());
        vault.Set("admin-token", "tlmadmin_of-the-vault");
        ServiceCollection services = new();

        TinyLlmApplication.AddKeys(services, HostRoles.All, new VaultSecrets(vault.Client()));

        await using ServiceProvider provider = services.BuildServiceProvider();
        Assert.True(provider.GetRequiredService<AdminToken>().Matches("tlmadmin_of-the-vault"));
        Assert.Equal(1, provider.GetRequiredService<HostKeyRing>().Count);
        Assert.All([typeof(AuditKey), typeof(SigningKey), typeof(TokenHasher), typeof(LeaseSigner)], type => Assert.NotNull(provider.GetService(type)));
        // Once for all secrets; not even once where another test's vault had this port, because the SDK remembers challenges for the process's life.
        Assert.InRange(vault.Challenged, 0, 1);
    }

    [Fact]
    public async Task AddKeys_SecretIsMissing_SaysWhichAndWhere()
    {
        await using VaultServer vault = await VaultServer.StartAsync();

        HostStartException refusal = Assert.Throws<HostStartException>(() => TinyLlmApplication.AddKeys(new ServiceCollection(), HostRoles.Parse("gpu"), new VaultSecrets(vault.Client())));

        Assert.Equal("Keys: secret 'leases' of the key vault 127.0.0.1 can't be read: it answers 404 SecretNotFound.", refusal.Message);
    }

    [Fact]
    public async Task ReadKey_SomethingElse_IsRefusedWithoutRepeatingIt()
    {
        await using VaultServer vault = await VaultServer.StartAsync();
        vault.Set("leases", "hush");

        StoreException refusal = Assert.Throws<StoreException>(() => new VaultSecrets(vault.Client()).ReadKey("leases", 32));

        Assert.Equal(StoreError.Damaged, refusal.Error);
        Assert.DoesNotContain("hush", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadOptions_NamesWithTwoDashes_AreOptions()
    {
        await using VaultServer vault = await VaultServer.StartAsync();
        vault.Set("host", NewKey());
        vault.Set("TinyLlm--Cluster--Redis", "old");
        vault.Set("TinyLlm--Cluster--Redis", "redis:10000,password=new");
        vault.Set("TinyLlm--Access--Oidc--Audience", "tinyllm");

        IReadOnlyList<KeyValuePair<string, string?>> options = new VaultSecrets(vault.Client()).ReadOptions();

        Assert.Equal(
            [new("TinyLlm:Access:Oidc:Audience", "tinyllm"), new("TinyLlm:Cluster:Redis", "redis:10000,password=new")],
            options.OrderBy(option => option.Key, StringComparer.Ordinal));
    }

    /// <summary>The operator adds a version, has the host rewrap, and disables the old one: everything opens at every moment.</summary>
    [Fact]
    public async Task HostKey_NewVersionRewrappedOldDisabled_EnvelopesStillOpen()
    {
        await using VaultServer vault = await VaultServer.StartAsync();
        string folder = Directory.CreateTempSubdirectory("tinyllm-vault-").FullName;
        try
        {
            using DataFolder data = DataFolder.Open(folder, TimeProvider.System);
            vault.Set("host", NewKey());
            VaultSecrets secrets = new(vault.Client());
            KeyEnvelopes envelopes = new(data.KeyEnvelopes, secrets.OpenHostKeys());
            UserId[] users = [UserId.New(), UserId.New()];
            foreach (UserId user in users) await envelopes.GetOrCreateAsync(user, TestContext.Current.CancellationToken);
            string before = envelopes.HostKeyId;

            vault.Set("host", NewKey());
            Assert.NotNull(await new KeyEnvelopes(data.KeyEnvelopes, secrets.OpenHostKeys()).FindAsync(users[0], TestContext.Current.CancellationToken)); // the old one opens
            Assert.Equal(2, await envelopes.RotateHostKeyAsync(TestContext.Current.CancellationToken));
            Assert.NotEqual(before, envelopes.HostKeyId);

            vault.DisableOld("host");
            HostKeyRing ring = secrets.OpenHostKeys();
            Assert.Equal(1, ring.Count);
            KeyEnvelopes after = new(data.KeyEnvelopes, ring);
            foreach (UserId user in users) Assert.NotNull(await after.FindAsync(user, TestContext.Current.CancellationToken));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task AdminToken_ReplacedInTheVault_OpensAndTheOldOneDoesNot()
    {
        await using VaultServer vault = await VaultServer.StartAsync();
        vault.Set("admin-token", "tlmadmin_old");
        VaultSecrets secrets = new(vault.Client());
        AdminToken token = new(secrets.Read(HostSecrets.AdminToken, AdminToken.NewText));
        using AdminTokenRotation rotation = new(token, secrets, TimeProvider.System, NullLogger<AdminTokenRotation>.Instance);

        vault.Set("admin-token", "tlmadmin_new");
        rotation.Look();
        Assert.True(token.Matches("tlmadmin_new"));
        Assert.False(token.Matches("tlmadmin_old"));

        // A vault that can't be read changes nothing.
        vault.IsClosed = true;
        rotation.Look();
        Assert.True(token.Matches("tlmadmin_new"));
    }
}
