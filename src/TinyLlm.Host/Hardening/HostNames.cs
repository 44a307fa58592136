using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Primitives;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Host.Hardening;

/// <summary>Refuses requests for a host that this is not; see <see cref="HttpOptions.AllowedHosts"/>.</summary>
internal sealed class HostNames
{
    private static readonly StringSegment[] s_loopback = ["localhost", "127.0.0.1", "[::1]"];

    private readonly RequestDelegate _next;
    private readonly Lazy<IList<StringSegment>?> _allowed; // null: any

    public HostNames(RequestDelegate next, HttpOptions options, IServer server)
    {
        _next = next;
        string[] named = HttpOptions.Split(options.AllowedHosts);
        // Where the server listens is known when the first request comes.
        _allowed = new(() => named.Length > 0 ? named.Contains("*") ? null : [.. named.Select(name => (StringSegment)name)] : NamesOf(server));
    }

    public Task InvokeAsync(HttpContext http)
    {
        string name = http.Request.Host.Host;
        bool allowed = _allowed.Value is not { } names || (name.Length > 0 && HostString.MatchesAny(name, names));
        return allowed
            ? _next(http)
            : throw new RequestException(RequestError.Malformed, "Host: this host does not go by the name that was asked for; its operator sets the names with TinyLlm:Http:AllowedHosts.");
    }

    /// <summary>On loopback alone: its names and the addresses listened on, such as 127.0.0.2; else any.</summary>
    private static IList<StringSegment>? NamesOf(IServer server)
    {
        string[] hosts = [.. (server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []).Select(address => BindingAddress.Parse(address).Host)];
        return hosts.Length > 0 && hosts.All(IsLoopback) ? [.. s_loopback, .. hosts.Select(host => (StringSegment)host)] : null;
    }

    private static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? ip) && IPAddress.IsLoopback(ip));
}
