using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Host.Hosting;

/// <summary>What an operator may set, in the section "TinyLlm".</summary>
internal sealed class HostOptions
{
    public const string Section = "TinyLlm";

    /// <summary>The device of a host that generates nothing.</summary>
    public const string NoDevice = "none";

    /// <summary>Folder of users, models and keys. Default ./data: everything in one place that a backup copies.</summary>
    [Required]
    public string Data { get; set; } = "./data";

    /// <summary>all, or some of api, core and gpu with commas between. Default all. Anything else needs a cluster (<see cref="ClusterSettings"/>).</summary>
    [Required]
    public string Roles { get; set; } = HostRoles.AllName;

    /// <summary>Folder of the keys and the admin token, which every process of a cluster has the same of. Default: in the data folder.</summary>
    public string? Keys { get; set => field = string.IsNullOrEmpty(value) ? null : value; }

    /// <summary>auto, cpu, cuda, or none for a host that keeps users and models and leaves generating to other silos. Default auto.</summary>
    [RegularExpression("^(auto|cpu|cuda|none)$", ErrorMessage = "Device: must be auto, cpu, cuda or none.")]
    public string Device { get; set; } = "auto";

    /// <summary>Bytes for weights and caches. Default: a share of the device's memory, chosen by the engine.</summary>
    [Range(1 << 20, long.MaxValue, ErrorMessage = "BudgetBytes: must be at least 1048576.")]
    public long? BudgetBytes { get; set; }

    /// <summary>Threads of one operation on a CPU. Default: the engine's choice.</summary>
    [Range(1, 1024, ErrorMessage = "Threads: must be between 1 and 1024.")]
    public int? Threads { get; set; }
}
