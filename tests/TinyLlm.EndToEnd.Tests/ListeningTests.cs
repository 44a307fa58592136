using System.Net;
using System.Net.Sockets;
using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>What a host opens to the network: unless it is told an address, nothing beyond this machine, the port of its silo included; and nothing for clients of the silo.</summary>
public sealed class ListeningTests(SharedHost shared)
{
    private const string Listening = "0A"; // the system's state of a listening socket

    /// <summary>127.0.0.1, and the same and ::1 as tcp6 writes them: 32-bit words in the machine's order.</summary>
    private static readonly string[] s_loopback = ["0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"];

    [Fact]
    public void EmbeddedHost_ListensOnLoopbackAlone_ForItsApiAndItsSilo()
    {
        (string Address, int Port)[] sockets = Sockets(shared.Host);
        Assert.All(sockets, socket => Assert.Contains(socket.Address, s_loopback));
        Assert.Equal(2, sockets.Length);
        Assert.Contains(sockets, socket => socket.Port == shared.Host.Url.Port);
    }

    /// <summary>
    /// Whoever reaches a silo calls grains without a token. The embedded host once had a gateway for clients, on a port of loopback that any account of the machine could use.
    /// </summary>
    [Fact]
    public async Task EmbeddedHost_SpeaksToNobodyOnTheSilosPort()
    {
        int silo = Assert.Single(Sockets(shared.Host), socket => socket.Port != shared.Host.Url.Port).Port;
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, silo, TestContext.Current.CancellationToken);
        int said;
        try
        {
            said = await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken); // a silo that takes connections speaks first
        }
        catch (IOException)
        {
            said = 0;
        }
        Assert.Equal(0, said);
    }

    [Fact]
    public async Task ProcessesOfACluster_ListenForSilosAndForTheApiAlone()
    {
        await using RunningCluster cluster = await RunningCluster.StartAsync(api: 1, core: 1, gpu: 0);
        foreach (RunningHost host in (RunningHost[])[cluster.Api[0], cluster.Core[0]])
        {
            (string Address, int Port)[] sockets = Sockets(host);
            Assert.All(sockets, socket => Assert.Contains(socket.Address, s_loopback));
            Assert.Equal(2, sockets.Length); // HTTP, which is health checks alone in a process without the API, and the silo
        }
    }

    private static (string Address, int Port)[] Sockets(RunningHost host)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sockets are read from /proc");
        string process = $"/proc/{host.ProcessId}";
        HashSet<string> own = [.. Directory.EnumerateFiles($"{process}/fd").Select(file => new FileInfo(file).LinkTarget ?? "").Where(target => target.StartsWith("socket:", StringComparison.Ordinal))];
        return
        [
            .. ((string[])["tcp", "tcp6"]).SelectMany(table => File.ReadLines($"{process}/net/{table}").Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields[3] == Listening && own.Contains($"socket:[{fields[9]}]"))
                .Select(fields => fields[1].Split(':'))
                .Select(endpoint => (endpoint[0], Convert.ToInt32(endpoint[1], 16))),
        ];
    }
}
