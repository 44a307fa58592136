using System.Collections.Immutable;

namespace TinyLlm.Host.Hosting;

/// <summary>What one process of a cluster does. A single process does it all.</summary>
/// <param name="Api">Serves the HTTP API. As a silo it hosts none of our grains.</param>
/// <param name="Core">Keeps the users' grains, and the keys that only they need.</param>
/// <param name="Gpu">Has an accelerator: keeps models in memory, and generates.</param>
internal sealed record HostRoles(bool Api, bool Core, bool Gpu)
{
    /// <summary>The name of all roles together.</summary>
    public const string AllName = "all";

    private static readonly ImmutableArray<string> Names = ["api", "core", "gpu"];

    public static HostRoles All { get; } = new(Api: true, Core: true, Gpu: true);

    /// <summary>"all", or some of api, core and gpu with commas between.</summary>
    public static HostRoles Parse(string text)
    {
        if (text == AllName) return All;
        string[] named = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? unknown = named.FirstOrDefault(name => !Names.Contains(name));
        if (named.Length == 0 || unknown is not null)
            throw new HostStartException($"Roles: '{unknown ?? text}' is none: give {AllName}, or some of {string.Join(", ", Names)} with commas between.");
        return new HostRoles(named.Contains("api"), named.Contains("core"), named.Contains("gpu"));
    }

    public override string ToString()
    {
        (string Name, bool Has)[] roles = [("api", Api), ("core", Core), ("gpu", Gpu)];
        return string.Join(",", roles.Where(role => role.Has).Select(role => role.Name));
    }
}
