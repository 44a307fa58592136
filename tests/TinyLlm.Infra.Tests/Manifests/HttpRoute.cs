namespace TinyLlm.Infra.Tests.Manifests;

/// <summary>A route of a gateway, as the definitions of the Gateway API (v1) have it.</summary>
internal sealed class HttpRoute : CustomResource<HttpRouteSpec>;

internal sealed class HttpRouteSpec
{
    public List<ObjectReference> ParentRefs { get; set; } = [];

    public List<string> Hostnames { get; set; } = [];

    public List<HttpRouteRule> Rules { get; set; } = [];
}

internal sealed class HttpRouteRule
{
    public List<HttpRouteMatch> Matches { get; set; } = [];

    public List<HttpRouteFilter> Filters { get; set; } = [];

    public List<ObjectReference> BackendRefs { get; set; } = [];

    public HttpRouteTimeouts? Timeouts { get; set; }
}

internal sealed class HttpRouteMatch
{
    public HttpPathMatch Path { get; set; } = new();
}

internal sealed class HttpPathMatch
{
    public string Type { get; set; } = "";

    public string Value { get; set; } = "";
}

internal sealed class HttpRouteFilter
{
    public string Type { get; set; } = "";

    public HttpRequestRedirect? RequestRedirect { get; set; }
}

internal sealed class HttpRequestRedirect
{
    public string Scheme { get; set; } = "";

    public int StatusCode { get; set; }
}

internal sealed class HttpRouteTimeouts
{
    public string Request { get; set; } = "";
}
