namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>Who asks for a scaled object's metrics, as KEDA's definitions (v1alpha1) have it.</summary>
internal sealed class TriggerAuthentication : CustomResource<TriggerAuthenticationSpec>;

internal sealed class TriggerAuthenticationSpec
{
    public PodIdentity PodIdentity { get; set; } = new();
}

internal sealed class PodIdentity
{
    public string Provider { get; set; } = "";

    public string IdentityId { get; set; } = "";
}
