using System.Collections;
using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using TinyLlm.Grains;
using TinyLlm.Host.Access;
using TinyLlm.Host.Hardening;
using TinyLlm.Host.Hosting;
using TinyLlm.Host.Secrets;
using TinyLlm.Host.Telemetry;
using HostOptions = TinyLlm.Host.Hosting.HostOptions;

namespace TinyLlm.Host.Configuration;

/// <summary>Every option of the host, read off the classes that hold them: what docs/OPERATIONS.md lists and --check-config checks.</summary>
internal static class OptionTable
{
    /// <summary>The sections below it are ours; what is there and unknown is a mistake.</summary>
    public const string Root = "TinyLlm";

    private static readonly ImmutableArray<string> s_secrets = ["TinyLlm:Cluster:Redis", "TinyLlm:Storage:ConnectionString"];

    /// <summary>The sections and their classes.</summary>
    public static ImmutableArray<(string Section, Type Type)> Sections { get; } =
    [
        (HostOptions.Section, typeof(HostOptions)),
        (ClusterSettings.Section, typeof(ClusterSettings)),
        (StorageSettings.Section, typeof(StorageSettings)),
        (KeyVaultSettings.Section, typeof(KeyVaultSettings)),
        (HttpOptions.Section, typeof(HttpOptions)),
        (AccessOptions.Section, typeof(AccessOptions)),
        (TelemetrySettings.Section, typeof(TelemetrySettings)),
        .. GrainOptions.Sections,
    ];

    /// <summary>All options, in the order of their classes.</summary>
    public static ImmutableArray<OptionEntry> All { get; } = [.. Sections.SelectMany(section => Read(section.Section, Activator.CreateInstance(section.Type)!))];

    /// <summary>What the values' own rules say against them, nested ones too.</summary>
    public static IEnumerable<string> Validate(object options)
    {
        List<ValidationResult> errors = [];
        Validator.TryValidateObject(options, new ValidationContext(options), errors, validateAllProperties: true);
        return errors.Select(error => error.ErrorMessage ?? "a value is out of its bounds")
            .Concat(Settable(options).Where(IsNested).SelectMany(property => Validate(property.GetValue(options)!)));
    }

    private static IEnumerable<OptionEntry> Read(string section, object options) => Settable(options).SelectMany(property =>
    {
        string key = $"{section}:{property.Name}";
        return IsNested(property)
            ? Read(key, property.GetValue(options)!)
            : [new OptionEntry(key, Format(property.GetValue(options)), s_secrets.Contains(key))];
    });

    private static IEnumerable<PropertyInfo> Settable(object options) => options.GetType().GetProperties().Where(property => property.SetMethod is { IsPublic: true });

    private static bool IsNested(PropertyInfo property) => property.PropertyType.IsClass && property.PropertyType != typeof(string) && property.PropertyType != typeof(Uri)
        && !typeof(IEnumerable).IsAssignableFrom(property.PropertyType);

    private static string Format(object? value) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
