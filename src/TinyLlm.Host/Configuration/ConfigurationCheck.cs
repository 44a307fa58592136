using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using TinyLlm.Host.Hosting;
using TinyLlm.Host.Secrets;
using HostOptions = TinyLlm.Host.Hosting.HostOptions;

namespace TinyLlm.Host.Configuration;

/// <summary>
/// --check-config: every option with its value and where that comes from, secrets masked, then what is wrong with them, all at once. Opens nothing and asks nobody,
/// so what a key vault sets is named, not read.
/// </summary>
internal static class ConfigurationCheck
{
    private const string Mask = "(secret)";

    /// <returns>The exit code: 0, or 2 when something is wrong.</returns>
    public static int Run(HostArguments arguments, TextWriter output, TextWriter error)
    {
        ConfigurationManager configuration = TinyLlmApplication.Configure(arguments).Configuration;
        output.WriteLine($"urls = {configuration["urls"] ?? TinyLlmApplication.DefaultUrl}  [{SourceOf(configuration, "urls")}]");
        foreach (OptionEntry option in OptionTable.All)
        {
            string value = configuration[option.Key] ?? option.Default;
            output.WriteLine($"{option.Key} = {(option.IsSecret && value.Length > 0 ? Mask : value)}  [{SourceOf(configuration, option.Key)}]");
        }
        string[] errors = [.. Unknown(configuration), .. OptionTable.Sections.SelectMany(section => Validate(configuration, section.Section, section.Type)).Distinct()];
        if (errors.Length == 0) errors = [.. Together(configuration)];
        foreach (string line in errors) error.WriteLine($"error: {line}");
        if (errors.Length == 0) output.WriteLine("the configuration is valid");
        return errors.Length == 0 ? 0 : 2;
    }

    /// <summary>The last provider that has a value wins.</summary>
    private static string SourceOf(ConfigurationManager configuration, string key)
    {
        IConfigurationProvider[] providers = [.. ((IConfigurationRoot)configuration).Providers];
        return Array.FindLast(providers, provider => provider.TryGet(key, out _)) switch
        {
            null => "default",
            JsonConfigurationProvider json => json.Source.Path ?? "appsettings.json",
            EnvironmentVariablesConfigurationProvider => "environment",
            { } other when ReferenceEquals(other, providers[^1]) => "command line",
            _ => "environment", // ASPNETCORE_ and DOTNET_ variables come by way of the framework's own collection
        };
    }

    private static IEnumerable<string> Unknown(ConfigurationManager configuration)
    {
        HashSet<string> known = new(OptionTable.All.Select(option => option.Key), StringComparer.OrdinalIgnoreCase);
        return configuration.GetSection(OptionTable.Root).AsEnumerable()
            .Where(pair => pair.Value is not null && !known.Contains(pair.Key))
            .Select(pair => $"{pair.Key}: there is no such option; docs/OPERATIONS.md lists them.");
    }

    private static List<string> Validate(ConfigurationManager configuration, string section, Type type)
    {
        object options = Activator.CreateInstance(type)!;
        try
        {
            configuration.GetSection(section).Bind(options);
        }
        catch (InvalidOperationException exception)
        {
            return [$"the section '{section}' of the configuration can't be read: {exception.InnerException?.Message ?? exception.Message}"];
        }
        return [.. OptionTable.Validate(options)];
    }

    private static List<string> Together(ConfigurationManager configuration)
    {
        ClusterSettings cluster = TinyLlmApplication.ReadOptions<ClusterSettings>(configuration, ClusterSettings.Section);
        StorageSettings storage = TinyLlmApplication.ReadOptions<StorageSettings>(configuration, StorageSettings.Section);
        bool hasVault = TinyLlmApplication.ReadOptions<KeyVaultSettings>(configuration, KeyVaultSettings.Section).Uri is not null;
        Action[] checks =
        [
            () => SiloSetup.Check(cluster),
            () => StorageSetup.Check(storage),
            () =>
            {
                HostRoles roles = HostRoles.Parse(TinyLlmApplication.ReadOptions<HostOptions>(configuration, HostOptions.Section).Roles);
                if (!hasVault || cluster.Redis is not null) TinyLlmApplication.CheckTogether(roles, cluster, storage); // else the vault may name the Redis
            },
        ];
        List<string> errors = [];
        foreach (Action check in checks)
        {
            try
            {
                check();
            }
            catch (HostStartException exception)
            {
                errors.Add(exception.Message);
            }
        }
        return errors;
    }
}
