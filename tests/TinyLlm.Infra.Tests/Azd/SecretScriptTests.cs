using System.Text.RegularExpressions;

namespace TinyLlm.Infra.Tests.Azd;

/// <summary>infra/write-secrets.sh against a stand-in for az that keeps secrets in a folder: what is missing is made, what is there stays.</summary>
public sealed partial class SecretScriptTests
{
    private const string Hook = "write-secrets.sh";

    /// <summary>It refuses as long as there is a file of refusals, a line of which goes at each; $FAULT is what it says to everything.</summary>
    private const string Az = """
        #!/bin/sh
        # az keyvault secret show|set|download --vault-name V --name N [--file F] ...
        action=$3; shift 3
        while [ $# -gt 0 ]; do
          case $1 in --vault-name) vault=$2;; --name) name=$2;; --file) file=$2;; esac
          shift 2
        done
        [ -z "${FAULT:-}" ] || { echo "$FAULT" >&2; exit 1; }
        if [ -s "$STATE/../refusals" ]; then
          sed -i 1d "$STATE/../refusals"
          echo "ERROR: (Forbidden) Caller is not authorized to perform action on resource." >&2; exit 1
        fi
        secret=$STATE/$vault.$name
        case $action in
          show) [ -e "$secret" ] || { echo "(SecretNotFound) no $name" >&2; exit 3; };;
          set) cp "$file" "$secret";;
          download) [ ! -e "$file" ] && cp "$secret" "$file";;
          *) exit 2;;
        esac
        """;

    private static readonly string[] s_all = ["api.admin-token", "core.audit", "core.host", "core.leases", "core.signing", "core.tokens", "gpu.leases"];

    [Fact]
    public async Task WriteSecrets_TwiceAndAfterALoss_MakesWhatIsMissingAndKeepsTheRest()
    {
        using HookRun hook = new();
        await hook.StandInAsync("az", Az);

        string said = await WriteAsync(hook);
        Dictionary<string, string> first = Read(hook);
        Assert.Equal(s_all, first.Keys.Order(StringComparer.Ordinal));
        Assert.All(["core.host", "core.tokens", "core.leases"], name => Assert.Matches("^[0-9a-f]{64}\\s*$", first[name]));
        Assert.All(["core.audit", "core.signing"], name => Assert.StartsWith("-----BEGIN PRIVATE KEY-----", first[name], StringComparison.Ordinal));
        Assert.Matches("^tlmadmin_[0-9A-Za-z]{43}$", first["api.admin-token"]);
        Assert.Equal(first["core.leases"], first["gpu.leases"]);
        Assert.Equal(6, first.Values.Distinct().Count()); // all others differ
        Assert.DoesNotMatch(LongPattern(), said);

        File.Delete(Path.Combine(hook.State, "gpu.leases"));
        File.Delete(Path.Combine(hook.State, "core.tokens"));
        await WriteAsync(hook);
        Dictionary<string, string> second = Read(hook);
        Assert.Equal(first.Where(secret => secret.Key != "core.tokens"), second.Where(secret => secret.Key != "core.tokens"));
        Assert.NotEqual(first["core.tokens"], second["core.tokens"]);
    }

    /// <summary>The first deployment assigns the role that the hook needs a moment before, and such a role counts after some minutes.</summary>
    [Fact]
    public async Task WriteSecrets_RoleThatDoesNotCountYet_IsWaitedFor()
    {
        using HookRun hook = new();
        await hook.StandInAsync("az", Az);
        await hook.StandInAsync("sleep", "#!/bin/sh\necho \"$1\" >>\"$STATE/../slept\"\n");
        await File.WriteAllTextAsync(Path.Combine(hook.State, "..", "refusals"), "1\n2\n3\n", TestContext.Current.CancellationToken);

        await WriteAsync(hook);

        Assert.Equal(s_all, Read(hook).Keys.Order(StringComparer.Ordinal));
        Assert.Equal("10\n10\n10\n", await File.ReadAllTextAsync(Path.Combine(hook.State, "..", "slept"), TestContext.Current.CancellationToken));
    }

    /// <summary>Neither a vault that can't be reached nor a refusal without end is taken for a vault without secrets.</summary>
    [Theory]
    [InlineData("Connection refused")]
    [InlineData("(Forbidden) Public network access is disabled")]
    public async Task WriteSecrets_VaultThatDoesNotAnswer_WritesNothing(string fault)
    {
        using HookRun hook = new();
        await hook.StandInAsync("az", Az);
        await hook.StandInAsync("sleep", "#!/bin/sh\n");

        (int exitCode, string said) = await hook.RunAsync(Hook, Vaults(fault));

        Assert.Equal(1, exitCode);
        Assert.Contains(fault, said, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(hook.State));
    }

    private static async Task<string> WriteAsync(HookRun hook)
    {
        (int exitCode, string said) = await hook.RunAsync(Hook, Vaults(""));
        Assert.True(exitCode == 0, said);
        return said;
    }

    private static Dictionary<string, string> Vaults(string fault) => new()
    {
        ["TINYLLM_API_VAULT_URI"] = "https://api.vault.example/",
        ["TINYLLM_CORE_VAULT_URI"] = "https://core.vault.example/",
        ["TINYLLM_GPU_VAULT_URI"] = "https://gpu.vault.example/",
        ["FAULT"] = fault,
    };

    private static Dictionary<string, string> Read(HookRun hook) =>
        Directory.EnumerateFiles(hook.State).Order(StringComparer.Ordinal).ToDictionary(file => Path.GetFileName(file), File.ReadAllText);

    [GeneratedRegex("[0-9A-Za-z]{40}")]
    private static partial Regex LongPattern();
}
