using Azure;
using Azure.Identity;
using Azure.Storage.Blobs;
using TinyLlm.Storage;

namespace TinyLlm.Host.Hosting;

/// <summary>Opens the stores that the settings name: an Azure storage account's, or those of the data folder.</summary>
internal static class StorageSetup
{
    /// <summary>Registers the stores. Containers that are not there are made: an account that can't be reached is said at the start.</summary>
    /// <param name="services">Where.</param>
    /// <param name="settings">Which account, if any.</param>
    /// <param name="data">The folder that keeps everything where there is none.</param>
    /// <param name="roles">Only core opens the users' keys: nobody else needs a right on them.</param>
    public static void AddTinyLlmStorage(this IServiceCollection services, StorageSettings settings, DataFolder data, HostRoles roles)
    {
        if (!settings.IsAccount)
        {
            services.AddTinyLlmStorage(data);
            return;
        }
        BlobServiceClient account = Account(settings);
        services.AddSingleton(account);
        services.AddTinyLlmStorage(
            Open(account, DataFolder.ObjectsContainer), Open(account, DataFolder.GrainStateContainer), roles.Core ? OpenKeyEnvelopes(settings, account) : null);
    }

    /// <summary>Refuses what can't be an account, without asking it.</summary>
    public static void Check(StorageSettings settings)
    {
        if (settings.IsAccount) Account(settings);
        if (settings.KeyAccountUri is { } keys) Account(new StorageSettings { AccountUri = keys });
    }

    private static AzureBlobObjectStore OpenKeyEnvelopes(StorageSettings settings, BlobServiceClient account) => Open(
        settings.KeyAccountUri is null ? account : Account(new StorageSettings { AccountUri = settings.KeyAccountUri }), DataFolder.KeyEnvelopesContainer);

    private static BlobServiceClient Account(StorageSettings settings)
    {
        if (settings is { AccountUri: not null, ConnectionString: not null })
            throw new HostStartException("Storage: AccountUri and ConnectionString name two accounts: leave one of them out.");
        if (settings.AccountUri is { } uri)
        {
            if (!uri.IsAbsoluteUri || uri.Scheme != Uri.UriSchemeHttps)
                throw new HostStartException("Storage:AccountUri: must be an https address, such as https://ACCOUNT.blob.core.windows.net.");
            return new BlobServiceClient(uri, new DefaultAzureCredential(), AzureBlobObjectStore.ClientOptions());
        }
        try
        {
            return new BlobServiceClient(settings.ConnectionString, AzureBlobObjectStore.ClientOptions());
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            // Not its message: the text holds the account's key.
            throw new HostStartException("Storage:ConnectionString: is no connection string of a storage account.", exception);
        }
    }

    private static AzureBlobObjectStore Open(BlobServiceClient account, string container)
    {
        try
        {
            // The start of a program: there is no context to block, and nothing else to do meanwhile.
            return AzureBlobObjectStore.OpenAsync(account.GetBlobContainerClient(container), CancellationToken.None).GetAwaiter().GetResult();
        }
        catch (Exception exception) when (exception is RequestFailedException or StoreException or AuthenticationFailedException)
        {
            string reason = exception is RequestFailedException { Status: > 0 } failed ? $"it answers {failed.Status} {failed.ErrorCode}" : "it can't be reached";
            throw new HostStartException($"Storage: container '{container}' of {account.Uri.Host} can't be opened: {reason}.", exception);
        }
    }
}
