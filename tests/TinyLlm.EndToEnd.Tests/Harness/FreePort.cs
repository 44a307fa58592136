using System.Net;
using System.Net.Sockets;

namespace TinyLlm.EndToEnd.Tests.Harness;

/// <summary>
/// A port for a program that must be told one: below those that systems give to whoever asks for any (from 32768 on Linux) and above those that silos take, so
/// that nobody has it by the time that the program listens, a minute later if it is built before.
/// </summary>
internal static class FreePort
{
    public static int OnLoopback()
    {
        while (true)
        {
            try
            {
                using TcpListener listener = new(IPAddress.Loopback, Random.Shared.Next(30_000, 32_000));
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // Another one, then.
            }
        }
    }
}
