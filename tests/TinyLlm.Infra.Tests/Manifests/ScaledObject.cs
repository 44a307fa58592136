using k8s.Models;

namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>What scales a deployment, as KEDA's definitions (v1alpha1) have it.</summary>
internal sealed class ScaledObject : CustomResource<ScaledObjectSpec>;

internal sealed class ScaledObjectSpec
{
    public V1CrossVersionObjectReference ScaleTargetRef { get; set; } = new();

    public int MinReplicaCount { get; set; }

    public int MaxReplicaCount { get; set; }

    public int PollingInterval { get; set; }

    public int CooldownPeriod { get; set; }

    public List<ScaleTrigger> Triggers { get; set; } = [];
}

internal sealed class ScaleTrigger
{
    public string Type { get; set; } = "";

    public string Name { get; set; } = "";

    public Dictionary<string, string> Metadata { get; set; } = [];

    public ObjectReference AuthenticationRef { get; set; } = new();
}
