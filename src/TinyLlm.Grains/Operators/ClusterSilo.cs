using TinyLlm.Grains.Placement;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Operators;

/// <summary>One silo of the cluster, as an operator sees it.</summary>
/// <param name="Address">Its address and generation.</param>
/// <param name="Roles">What it says that it does.</param>
/// <param name="Status">What the cluster takes it for.</param>
/// <param name="Report">What it answered; null: it did not in time, or is no member that answers.</param>
public sealed record ClusterSilo(string Address, SiloRoles Roles, SiloStatus Status, SiloReport? Report);
