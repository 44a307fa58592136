using System.Buffers;
using Azure;
using Azure.Identity;
using Azure.Security.KeyVault.Secrets;
using TinyLlm.Storage;

namespace TinyLlm.Host.Secrets;

/// <summary>
/// Secrets of an Azure key vault. The host only reads them: who deploys writes them, and a new version of one is its rotation. Every call waits: they are made at the
/// start, at the rotation of keys and when a user's key is made.
/// </summary>
internal sealed class VaultSecrets(SecretClient client) : HostSecrets
{
    /// <summary>In a secret's name, where the option that it sets has ":", as in Azure's own configuration provider.</summary>
    private const string OptionSeparator = "--";

    /// <exception cref="Hosting.HostStartException">The address is no https address.</exception>
    public static VaultSecrets Open(Uri uri)
    {
        if (!uri.IsAbsoluteUri || uri.Scheme != Uri.UriSchemeHttps)
            throw new Hosting.HostStartException("KeyVault:Uri: must be an https address, such as https://NAME.vault.azure.net.");
        return new VaultSecrets(new SecretClient(uri, new DefaultAzureCredential()));
    }

    /// <summary>Options that the vault sets, by their configuration keys.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> ReadOptions() => Ask("its secrets", () => (IReadOnlyList<KeyValuePair<string, string?>>)
        [.. client.GetPropertiesOfSecrets().Where(secret => secret.Enabled == true && secret.Name.Contains(OptionSeparator, StringComparison.Ordinal)).Select(secret => secret.Name)
            .Select(name => new KeyValuePair<string, string?>(name.Replace(OptionSeparator, ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), client.GetSecret(name).Value.Value))]);

    public override HostKeyRing OpenHostKeys() => HostKeyRing.Open(new VaultHostKeys(this));

    public override string Read(string name, Func<string> create) => Ask($"secret '{name}'", () => client.GetSecret(name).Value.Value.Trim());

    public override byte[] ReadKey(string name, int byteCount) => ParseKey(name, Read(name, static () => ""), byteCount);

    /// <summary>Every enabled version of a key, the newest last.</summary>
    public IReadOnlyList<byte[]> ReadKeyVersions(string name, int byteCount) => Ask($"secret '{name}'", () =>
    {
        KeyVaultSecret newest = client.GetSecret(name); // the vault's word on which is newest: times of making have whole seconds
        List<byte[]> keys = [];
        foreach (SecretProperties version in client.GetPropertiesOfSecretVersions(name).Where(version => version.Enabled == true).OrderBy(version => version.CreatedOn))
        {
            if (version.Version != newest.Properties.Version) keys.Add(ParseKey(name, client.GetSecret(name, version.Version).Value.Value, byteCount));
        }
        keys.Add(ParseKey(name, newest.Value, byteCount));
        return (IReadOnlyList<byte[]>)keys;
    });

    private T Ask<T>(string what, Func<T> ask)
    {
        try
        {
            return ask();
        }
        catch (Exception exception) when (exception is RequestFailedException or AuthenticationFailedException)
        {
            string reason = exception is RequestFailedException { Status: > 0 } failed ? $"it answers {failed.Status} {failed.ErrorCode}" : "it can't be reached, or nobody is signed in";
            throw new StoreException(StoreError.Unavailable, $"{what} of the key vault {client.VaultUri.Host} can't be read: {reason}", exception);
        }
    }

    private static byte[] ParseKey(string name, string text, int byteCount)
    {
        byte[] key = new byte[byteCount];
        text = text.Trim();
        bool isWhole = text.Length == 2 * byteCount && Convert.FromHexString(text, key, out _, out _) == OperationStatus.Done;
        return isWhole ? key : throw new StoreException(StoreError.Damaged, $"the key vault's secret '{name}' can't be used: it must hold {2 * byteCount} hex digits");
    }
}
