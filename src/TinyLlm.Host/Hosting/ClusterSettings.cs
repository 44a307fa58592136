using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Host.Hosting;

/// <summary>How processes find each other, in the section "TinyLlm:Cluster". Without a Redis there is one process, which is a cluster by itself.</summary>
internal sealed class ClusterSettings
{
    public const string Section = "TinyLlm:Cluster";

    /// <summary>Redis that keeps the list of members, as StackExchange.Redis writes it: "host:6379,password=...". It should persist what it is told.</summary>
    public string? Redis { get; set => field = string.IsNullOrEmpty(value) ? null : value; }

    /// <summary>Members of one cluster agree on it. Another id in the same Redis is another cluster. Default tinyllm.</summary>
    [RegularExpression("^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", ErrorMessage = "Cluster:Id: must be 1 to 63 letters, digits, '.', '_' or '-'.")]
    public string Id { get; set; } = "tinyllm";

    /// <summary>The address that the others reach this process at. Default 127.0.0.1: all on one machine.</summary>
    [Required]
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>The port that the others reach this process at; 0: any free one. Only silos of the cluster may reach it: what passes is not encrypted.</summary>
    [Range(0, 65535, ErrorMessage = "Cluster:SiloPort: must be 0 to 65535.")]
    public int SiloPort { get; set; }

    /// <summary>
    /// Whether the process is a pod: members whose pods are gone, as the cluster's API says, are taken for dead by every pod that starts, and POD_NAME,
    /// POD_NAMESPACE, POD_IP, ORLEANS_SERVICE_ID and ORLEANS_CLUSTER_ID must be in the environment. Default no.
    /// </summary>
    public bool Kubernetes { get; set; }

    /// <summary>
    /// How often members look after each other, and how long each waits for an answer. Default 3 s: with <see cref="MissedProbes"/> a machine that falls
    /// silent is given up after 15 s. A process that ends, however it does, is known to be gone at once and needs no probe.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00", ErrorMessage = "Cluster:ProbeInterval: must be 00:00:00.1 to 00:05:00.")]
    public TimeSpan ProbeInterval { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>Probes in a row without an answer until a member is taken for dead. Default 5.</summary>
    [Range(1, 100, ErrorMessage = "Cluster:MissedProbes: must be 1 to 100.")]
    public int MissedProbes { get; set; } = 5;
}
