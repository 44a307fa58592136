using System.Text.Json;

namespace TinyLlm.Cli.Credentials;

/// <summary>Keeps <see cref="SavedCredentials"/> in one file of the user's (mode 0600), replaced as a whole.</summary>
internal sealed class CredentialStore(string folder)
{
    private const string FileName = "credentials.json";

    /// <summary>Where this program keeps what it remembers.</summary>
    public string Folder => folder;

    /// <summary>Where the credentials lie.</summary>
    public string FilePath { get; } = Path.Combine(folder, FileName);

    /// <summary><c>$XDG_CONFIG_HOME/tinyllm</c>, or the place that the system gives to a user's settings (<c>~/.config/tinyllm</c>).</summary>
    public static string DefaultFolder(Func<string, string?> variable)
    {
        string? configured = variable("XDG_CONFIG_HOME");
        // The specification of base directories: a relative path is to be ignored.
        string root = Path.IsPathFullyQualified(configured ?? "")
            ? configured!
            : Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        return Path.Combine(root, "tinyllm");
    }

    /// <summary>What was saved; empty when nothing was.</summary>
    public SavedCredentials Load()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FilePath), SavedCredentialsJson.Default.SavedCredentials) ?? new SavedCredentials();
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return new SavedCredentials();
        }
        catch (JsonException)
        {
            throw new UsageException($"'{FilePath}' is not JSON: delete it and log in again");
        }
    }

    /// <summary>Replaces the file: whoever reads it sees the old or the new one, and only its owner may.</summary>
    public void Save(SavedCredentials credentials)
    {
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else Directory.CreateDirectory(folder, ownerOnly | UnixFileMode.UserExecute);

        string temporary = Path.Combine(folder, $"{FileName}.{Path.GetRandomFileName()}");
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = ownerOnly;
        try
        {
            using (FileStream file = new(temporary, options))
            {
                JsonSerializer.Serialize(file, credentials, SavedCredentialsJson.Default.SavedCredentials);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, FilePath, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
