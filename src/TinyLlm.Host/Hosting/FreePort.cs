using System.Net;
using System.Net.Sockets;

namespace TinyLlm.Host.Hosting;

/// <summary>
/// A free port for a silo, which Orleans has to know before it listens there. Nobody else has to know it, so any will do, and hosts on one machine never
/// collide on Orleans' well-known ones. Those that the system gives to whoever asks for any (on Linux from 32768 on) can be another's before Orleans
/// listens, so these lie below, and each process has a stretch of its own.
/// </summary>
internal static class FreePort
{
    private const int First = 10_000, Count = 20_000, PerProcess = 64;

    private static int s_taken;

    /// <summary>Never the same one twice, until <see cref="Count"/> were taken.</summary>
    public static int OnLoopback()
    {
        for (int attempt = 0; attempt < Count; attempt++)
        {
            long number = ((long)Environment.ProcessId * PerProcess) + (uint)Interlocked.Increment(ref s_taken);
            int port = First + (int)(number % Count);
            if (IsFree(port)) return port;
        }
        throw new HostStartException($"Every port from {First} to {First + Count - 1} is in use on the loopback address: name one with --TinyLlm:Cluster:SiloPort.");
    }

    private static bool IsFree(int port)
    {
        using TcpListener listener = new(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
