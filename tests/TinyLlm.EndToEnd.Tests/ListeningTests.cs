using TinyLlm.EndToEnd.Tests.Harness;

namespace TinyLlm.EndToEnd.Tests;

/// <summary>What a host opens to the network: unless it is told an address, nothing beyond this machine, the ports of its silo included.</summary>
public sealed class ListeningTests(SharedHost shared)
{
    private const string Listening = "0A"; // the system's state of a listening socket

    [Fact]
    public void EmbeddedHost_ListensOnLoopbackAlone()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "sockets are read from /proc");
        string process = $"/proc/{shared.Host.ProcessId}";
        HashSet<string> own = [.. Directory.EnumerateFiles($"{process}/fd").Select(file => new FileInfo(file).LinkTarget ?? "").Where(target => target.StartsWith("socket:", StringComparison.Ordinal))];
        string[] addresses =
        [
            .. ((string[])["tcp", "tcp6"]).SelectMany(table => File.ReadLines($"{process}/net/{table}").Skip(1))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(fields => fields[3] == Listening && own.Contains($"socket:[{fields[9]}]"))
                .Select(fields => fields[1].Split(':')[0]),
        ];
        Assert.True(addresses.Length >= 2, $"the API and a silo listen, and {addresses.Length} sockets were found");
        // 127.0.0.1, and the same and ::1 as tcp6 writes them: 32-bit words in the machine's order.
        Assert.All(addresses, address => Assert.Contains(address, (string[])["0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"]));
    }
}
