namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>A gateway, as the definitions of the Gateway API (v1) have it.</summary>
internal sealed class Gateway : CustomResource<GatewaySpec>;

internal sealed class GatewaySpec
{
    public string GatewayClassName { get; set; } = "";

    public GatewayInfrastructure Infrastructure { get; set; } = new();

    public List<Listener> Listeners { get; set; } = [];
}

internal sealed class GatewayInfrastructure
{
    public Dictionary<string, string> Annotations { get; set; } = [];

    public ObjectReference ParametersRef { get; set; } = new();
}

internal sealed class Listener
{
    public string Name { get; set; } = "";

    public string Protocol { get; set; } = "";

    public int Port { get; set; }

    public string? Hostname { get; set; }

    public ListenerTls? Tls { get; set; }

    public AllowedRoutes? AllowedRoutes { get; set; }
}

internal sealed class ListenerTls
{
    public string Mode { get; set; } = "";

    public List<ObjectReference> CertificateRefs { get; set; } = [];
}

internal sealed class AllowedRoutes
{
    public RouteNamespaces Namespaces { get; set; } = new();
}

internal sealed class RouteNamespaces
{
    public string From { get; set; } = "";
}
