using System.Net;
using System.Net.Sockets;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>
/// Ports below those that systems give to whoever asks for any (from 32768 on Linux) and above those that silos take: for who listens only after a while, when another
/// test's process could have had a port of those by then.
/// </summary>
internal static class FreePort
{
    /// <summary>The first of some that follow each other and are free.</summary>
    public static int Below(int ports = 1)
    {
        while (true)
        {
            int first = Random.Shared.Next(30_000, 32_000);
            if (Enumerable.Range(first, ports).All(IsFree)) return first;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using TcpListener listener = new(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }
}
