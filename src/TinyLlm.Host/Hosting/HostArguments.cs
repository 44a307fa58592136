using System.Collections.Immutable;

namespace TinyLlm.Host.Hosting;

/// <summary>The command line. Unknown switches are refused: a mistyped one must not start a host with defaults.</summary>
internal sealed record HostArguments
{
    private static readonly ImmutableDictionary<string, string> Switches = new Dictionary<string, string>
    {
        ["--urls"] = "urls",
        ["--data"] = "TinyLlm:Data",
        ["--roles"] = "TinyLlm:Roles",
        ["--keys"] = "TinyLlm:Keys",
        ["--device"] = "TinyLlm:Device",
        ["--budget-bytes"] = "TinyLlm:BudgetBytes",
    }.ToImmutableDictionary();

    private const string CheckSwitch = "--check-config";

    private const string Usage = """
        usage: TinyLlm.Host [--urls URL] [--data DIR] [--roles ROLES] [--keys DIR] [--device auto|cpu|cuda|none] [--budget-bytes N] [--check-config] [--Section:Key VALUE ...]
          --urls URL         where the API listens (default http://127.0.0.1:5080)
          --data DIR         where users, models and keys are kept (default ./data)
          --roles ROLES      what this process does: all (default), or some of api,core,gpu; several processes need a Redis
          --keys DIR         where the keys and the admin token lie, the same for every process of a cluster (default: in --data)
          --device KIND      what computes (default auto: cuda where there is one; none: this host generates nothing)
          --check-config     say what is configured, where each value comes from and what is wrong with it, and start nothing
          --budget-bytes N   bytes for weights and caches (default: a share of the device's memory)
        """;

    /// <summary>Configuration keys and values, in the order given.</summary>
    public required ImmutableArray<KeyValuePair<string, string?>> Settings { get; init; }

    /// <summary>What to print instead of starting, when help or the version was asked for.</summary>
    public string? Information { get; init; }

    /// <summary>Whether to check the configuration in place of starting.</summary>
    public bool IsCheck { get; init; }

    /// <summary>Reads "--switch value" and "--switch=value".</summary>
    public static HostArguments Parse(IReadOnlyList<string> arguments)
    {
        List<KeyValuePair<string, string?>> settings = [];
        bool isCheck = false;
        for (int i = 0; i < arguments.Count; i++)
        {
            string argument = arguments[i];
            if (argument is "--help" or "-h" or "-?") return new HostArguments { Settings = [], Information = Usage };
            if (argument is "--version") return new HostArguments { Settings = [], Information = $"TinyLlm {typeof(HostArguments).Assembly.GetName().Version?.ToString(3)}" };

            if (argument is CheckSwitch)
            {
                isCheck = true;
                continue;
            }

            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? argument : argument[..equals];
            string key = Switches.TryGetValue(name, out string? known) ? known
                : name.StartsWith("--", StringComparison.Ordinal) && name.Contains(':', StringComparison.Ordinal) ? name[2..]
                : throw new HostStartException($"unknown argument '{name}'\n{Usage}");
            if (equals < 0 && i + 1 == arguments.Count) throw new HostStartException($"{name} needs a value\n{Usage}");
            string value = equals < 0 ? arguments[++i] : argument[(equals + 1)..];
            if (settings.Exists(setting => string.Equals(setting.Key, key, StringComparison.OrdinalIgnoreCase))) throw new HostStartException($"{name} is given twice: give it once");
            settings.Add(new(key, value));
        }
        return new HostArguments { Settings = [.. settings], IsCheck = isCheck };
    }
}
