using k8s;
using k8s.Models;

namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>Any custom resource. Its type is the schema: a field that the type does not have is refused by the strict parser.</summary>
internal abstract class CustomResource<TSpec> : IKubernetesObject<V1ObjectMeta>, ISpec<TSpec>
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public TSpec Spec { get; set; } = default!;
}
