using k8s;
using k8s.Models;

namespace TinyLlm.Infra.Tests.Manifests;

// The schema of the custom resources that the manifests use: what is not here is refused by the strict parser. Field names as the definitions of the Gateway API
// (v1), KEDA (v1alpha1) and Azure's managed Prometheus (v1) have them.

/// <summary>Any custom resource.</summary>
public abstract class CustomResource<TSpec> : IKubernetesObject<V1ObjectMeta>, ISpec<TSpec>
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public TSpec Spec { get; set; } = default!;
}

public sealed class Gateway : CustomResource<GatewaySpec>;

public sealed class GatewaySpec
{
    public string GatewayClassName { get; set; } = "";

    public List<Listener> Listeners { get; set; } = [];
}

public sealed class Listener
{
    public string Name { get; set; } = "";

    public string Protocol { get; set; } = "";

    public int Port { get; set; }

    public string? Hostname { get; set; }

    public ListenerTls? Tls { get; set; }

    public AllowedRoutes? AllowedRoutes { get; set; }
}

public sealed class ListenerTls
{
    public string Mode { get; set; } = "";

    public List<ObjectReference> CertificateRefs { get; set; } = [];
}

public sealed class ObjectReference
{
    public string? Kind { get; set; }

    public string Name { get; set; } = "";

    public string? SectionName { get; set; }

    public int? Port { get; set; }
}

public sealed class AllowedRoutes
{
    public RouteNamespaces Namespaces { get; set; } = new();
}

public sealed class RouteNamespaces
{
    public string From { get; set; } = "";
}

public sealed class HttpRoute : CustomResource<HttpRouteSpec>;

public sealed class HttpRouteSpec
{
    public List<ObjectReference> ParentRefs { get; set; } = [];

    public List<string> Hostnames { get; set; } = [];

    public List<HttpRouteRule> Rules { get; set; } = [];
}

public sealed class HttpRouteRule
{
    public List<HttpRouteMatch> Matches { get; set; } = [];

    public List<HttpRouteFilter> Filters { get; set; } = [];

    public List<ObjectReference> BackendRefs { get; set; } = [];

    public HttpRouteTimeouts? Timeouts { get; set; }
}

public sealed class HttpRouteMatch
{
    public HttpPathMatch Path { get; set; } = new();
}

public sealed class HttpPathMatch
{
    public string Type { get; set; } = "";

    public string Value { get; set; } = "";
}

public sealed class HttpRouteFilter
{
    public string Type { get; set; } = "";

    public HttpRequestRedirect? RequestRedirect { get; set; }
}

public sealed class HttpRequestRedirect
{
    public string Scheme { get; set; } = "";

    public int StatusCode { get; set; }
}

public sealed class HttpRouteTimeouts
{
    public string Request { get; set; } = "";
}

public sealed class TriggerAuthentication : CustomResource<TriggerAuthenticationSpec>;

public sealed class TriggerAuthenticationSpec
{
    public PodIdentity PodIdentity { get; set; } = new();
}

public sealed class PodIdentity
{
    public string Provider { get; set; } = "";

    public string IdentityId { get; set; } = "";
}

public sealed class ScaledObject : CustomResource<ScaledObjectSpec>;

public sealed class ScaledObjectSpec
{
    public V1CrossVersionObjectReference ScaleTargetRef { get; set; } = new();

    public int MinReplicaCount { get; set; }

    public int MaxReplicaCount { get; set; }

    public int PollingInterval { get; set; }

    public int CooldownPeriod { get; set; }

    public List<ScaleTrigger> Triggers { get; set; } = [];
}

public sealed class ScaleTrigger
{
    public string Type { get; set; } = "";

    public string Name { get; set; } = "";

    public Dictionary<string, string> Metadata { get; set; } = [];

    public ObjectReference AuthenticationRef { get; set; } = new();
}

public sealed class PodMonitor : CustomResource<PodMonitorSpec>;

public sealed class PodMonitorSpec
{
    public V1LabelSelector Selector { get; set; } = new();

    public List<PodMetricsEndpoint> PodMetricsEndpoints { get; set; } = [];
}

public sealed class PodMetricsEndpoint
{
    public string Port { get; set; } = "";

    public string Path { get; set; } = "";

    public string Interval { get; set; } = "";
}
