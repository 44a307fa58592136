namespace TinyLlm.Host.Secrets;

/// <summary>An Azure key vault in place of key files, in the section "TinyLlm:KeyVault".</summary>
internal sealed class KeyVaultSettings
{
    public const string Section = "TinyLlm:KeyVault";

    /// <summary>
    /// The vault's address, such as https://NAME.vault.azure.net; signed in to by DefaultAzureCredential. Keys and the admin token are its secrets, and a secret
    /// named like an option with "--" for ":" (TinyLlm--Cluster--Redis) is that option's value. Default: none, keys are files.
    /// </summary>
    public Uri? Uri { get; set; }
}
