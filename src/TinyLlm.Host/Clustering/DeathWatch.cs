using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;

namespace TinyLlm.Host.Clustering;

/// <summary>
/// Knows at once when the process of another silo is gone, where probes need seconds: its connections close, and its port refuses new ones. Whoever
/// had a connection that closed dials; a port that refuses several times in a row is nobody's, however busy the machine is (a process that is only slow
/// lets its callers wait), and so its silo is declared dead. What goes on answering, or does neither, is left to the probes.
/// </summary>
internal sealed partial class DeathWatch(IClusterMembershipService membership, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<DeathWatch> logger)
{
    /// <summary>Dials that must be refused, one after the other: a fraction of a second in all.</summary>
    private const int Refusals = 3;

    /// <summary>Dials that must not be refused, one after the other. Not one: a process that ends closes one thing after the other, and its port may come late.</summary>
    private const int Answers = 3;

    private static readonly TimeSpan s_afterRefusal = TimeSpan.FromMilliseconds(100);

    private static readonly TimeSpan s_afterAnswer = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_dialLimit = TimeSpan.FromSeconds(1);

    /// <summary>What is closed sooner never was a silo's connection: a dial of another watch, a scan of ports. A silo that lives no longer is left to the probes.</summary>
    private static readonly TimeSpan s_leastAge = TimeSpan.FromSeconds(2);

    /// <summary>How many connections closed since somebody looks after this silo.</summary>
    private readonly ConcurrentDictionary<SiloAddress, int> _asked = [];

    /// <summary>Has the connections of this silo watched, in both directions: two silos may share one.</summary>
    public static void Watch(SiloConnectionOptions options)
    {
        options.ConfigureSiloOutboundConnection(connections => connections.Use(Follow(connections.ApplicationServices)));
        options.ConfigureSiloInboundConnection(connections => connections.Use(Follow(connections.ApplicationServices)));
    }

    private static Func<ConnectionDelegate, ConnectionDelegate> Follow(IServiceProvider services)
    {
        DeathWatch watch = services.GetRequiredService<DeathWatch>();
        return next => connection => watch.FollowAsync(next, connection);
    }

    private async Task FollowAsync(ConnectionDelegate next, ConnectionContext connection)
    {
        long begun = time.GetTimestamp();
        EndPoint? other = connection.RemoteEndPoint;
        try
        {
            await next(connection);
        }
        finally
        {
            if (other is IPEndPoint { Address: { } address } && time.GetElapsedTime(begun) >= s_leastAge && !lifetime.ApplicationStopping.IsCancellationRequested)
            {
                // The port of an inbound connection names nobody: whoever runs at that address is looked after. In a cluster of pods that is one silo.
                foreach (ClusterMember member in membership.CurrentSnapshot.Members.Values.Where(member => IsActiveAt(member, address))) _ = ExamineAsync(member.SiloAddress);
            }
        }
    }

    private static bool IsActiveAt(ClusterMember member, IPAddress address) =>
        member.Status == SiloStatus.Active && member.SiloAddress.Endpoint.Address.MapToIPv6().Equals(address.MapToIPv6());

    /// <summary>Finds out whether this silo is gone. Nobody waits for it, and it does not fail: what goes wrong is logged.</summary>
    internal async Task ExamineAsync(SiloAddress silo)
    {
        if (_asked.AddOrUpdate(silo, 1, (_, asked) => asked + 1) > 1) return; // whoever looks after it already does so once more
        int asked;
        do
        {
            asked = _asked[silo];
            await DialAsync(silo);
        }
        while (!_asked.TryRemove(KeyValuePair.Create(silo, asked)));
    }

    private async Task DialAsync(SiloAddress silo)
    {
        try
        {
            int refused = 0, answered = 0;
            while (membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Active) // it may say goodbye, or another be faster
            {
                bool isRefused = await IsRefusedAsync(silo.Endpoint);
                (refused, answered) = isRefused ? (refused + 1, 0) : (0, answered + 1);
                if (answered == Answers) return;
                if (refused == Refusals)
                {
                    LogGone(logger, silo, Refusals);
                    if (await membership.TryKill(silo)) return;
                    refused = 0; // others wrote to the table at the same time
                }
                await Task.Delay(isRefused ? s_afterRefusal : s_afterAnswer, time, lifetime.ApplicationStopping);
            }
        }
        catch (OperationCanceledException)
        {
            // This process is leaving: the others watch.
        }
        catch (Exception exception)
        {
            LogFailed(logger, silo, exception);
        }
    }

    private async Task<bool> IsRefusedAsync(IPEndPoint endpoint)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(lifetime.ApplicationStopping);
        patience.CancelAfter(s_dialLimit);
        using Socket socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endpoint, patience.Token);
            return false;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException) when (!lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return false; // slow, or behind something that swallows packets
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The process of silo {Silo} is gone, its port refused {Dials} times: it is declared dead")]
    private static partial void LogGone(ILogger logger, SiloAddress silo, int dials);

    [LoggerMessage(Level = LogLevel.Error, Message = "Silo {Silo} could not be looked after: the probes go on")]
    private static partial void LogFailed(ILogger logger, SiloAddress silo, Exception exception);
}
