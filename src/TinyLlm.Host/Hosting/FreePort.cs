using System.Net;
using System.Net.Sockets;

namespace TinyLlm.Host.Hosting;

/// <summary>
/// A free port for the embedded silo. Nobody but this process talks to it, so any will do, and two hosts on one machine never collide on
/// Orleans' well-known ones.
/// </summary>
internal static class FreePort
{
    public static int OnLoopback()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
