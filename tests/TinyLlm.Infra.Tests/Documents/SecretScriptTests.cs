using System.Diagnostics;
using System.Text.RegularExpressions;
using TinyLlm.Tests;

namespace TinyLlm.Infra.Tests.Documents;

/// <summary>infra/write-secrets.sh against a stand-in for az that keeps secrets in a folder: what is missing is made, what is there stays.</summary>
public sealed partial class SecretScriptTests
{
    private const string Az = """
        #!/bin/sh
        # az keyvault secret show|set|download --vault-name V --name N [--file F] ...
        action=$3; shift 3
        while [ $# -gt 0 ]; do
          case $1 in --vault-name) vault=$2;; --name) name=$2;; --file) file=$2;; esac
          shift 2
        done
        secret=$SECRETS/$vault.$name
        case $action in
          show) [ -e "$secret" ] || { echo "(SecretNotFound) no $name" >&2; exit 3; };;
          set) cp "$file" "$secret";;
          download) [ ! -e "$file" ] && cp "$secret" "$file";;
          *) exit 2;;
        esac
        """;

    [Fact]
    public async Task WriteSecrets_TwiceAndAfterALoss_MakesWhatIsMissingAndKeepsTheRest()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the script is for a POSIX shell with openssl");
        string folder = Directory.CreateTempSubdirectory("tinyllm-secrets-").FullName;
        try
        {
            string secrets = Directory.CreateDirectory(Path.Combine(folder, "secrets")).FullName, az = Path.Combine(folder, "az");
            await File.WriteAllTextAsync(az, Az, TestContext.Current.CancellationToken);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(az, UnixFileMode.UserRead | UnixFileMode.UserExecute);

            string said = await RunAsync(folder, secrets);
            Dictionary<string, string> first = Read(secrets);
            Assert.Equal(["api.admin-token", "core.audit", "core.host", "core.leases", "core.signing", "core.tokens", "gpu.leases"], first.Keys.Order(StringComparer.Ordinal));
            Assert.All(["core.host", "core.tokens", "core.leases"], name => Assert.Matches("^[0-9a-f]{64}\\s*$", first[name]));
            Assert.All(["core.audit", "core.signing"], name => Assert.StartsWith("-----BEGIN PRIVATE KEY-----", first[name], StringComparison.Ordinal));
            Assert.Matches("^tlmadmin_[0-9A-Za-z]{43}$", first["api.admin-token"]);
            Assert.Equal(first["core.leases"], first["gpu.leases"]);
            Assert.Equal(6, first.Values.Distinct().Count()); // all others differ
            Assert.DoesNotMatch(LongPattern(), said);

            File.Delete(Path.Combine(secrets, "gpu.leases"));
            File.Delete(Path.Combine(secrets, "core.tokens"));
            await RunAsync(folder, secrets);
            Dictionary<string, string> second = Read(secrets);
            Assert.Equal(first.Where(secret => secret.Key != "core.tokens"), second.Where(secret => secret.Key != "core.tokens"));
            Assert.NotEqual(first["core.tokens"], second["core.tokens"]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Dictionary<string, string> Read(string folder) => Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).ToDictionary(file => Path.GetFileName(file), File.ReadAllText);

    private static async Task<string> RunAsync(string path, string secrets)
    {
        ProcessStartInfo start = new("sh", [Path.Combine(TestData.RepositoryRoot, "infra", "write-secrets.sh")]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{path}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["SECRETS"] = secrets;
        foreach (string role in (string[])["api", "core", "gpu"]) start.Environment[$"TINYLLM_{role.ToUpperInvariant()}_VAULT_URI"] = $"https://{role}.vault.example/";
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, error);
        return await output + error;
    }

    [GeneratedRegex("[0-9A-Za-z]{40}")]
    private static partial Regex LongPattern();
}
