namespace TinyLlm.Host.Hosting;

/// <summary>Where everything is kept, in the section "TinyLlm:Storage". Without any of it: in files, in the data folder.</summary>
internal sealed class StorageSettings
{
    public const string Section = "TinyLlm:Storage";

    /// <summary>The blob endpoint of an Azure storage account, such as https://ACCOUNT.blob.core.windows.net; signed in to by DefaultAzureCredential.</summary>
    public Uri? AccountUri { get; set; }

    /// <summary>A connection string instead: for Azurite, or where no identity is to be had. It is a secret.</summary>
    public string? ConnectionString { get; set => field = string.IsNullOrEmpty(value) ? null : value; }

    /// <summary>
    /// The blob endpoint of another account for users' wrapped keys, whose deletion must be final: one without soft delete, versions or backups.
    /// Default: the account of everything else, which then must have none of them either.
    /// </summary>
    public Uri? KeyAccountUri { get; set; }

    /// <summary>Whether an account is named.</summary>
    public bool IsAccount => AccountUri is not null || ConnectionString is not null;
}
