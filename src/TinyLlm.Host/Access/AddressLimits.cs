using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Host.Access;

/// <summary>
/// The first thing that a request meets: an address that failed to authenticate too often is refused before anything is looked at, and requests
/// without a token have a rate of their own. In this process only: it guards the process, and needs nobody else to agree.
/// Health checks are never refused. Knows the address of the connection; behind a proxy that is the proxy's, unless it is configured.
/// </summary>
internal sealed class AddressLimits : IMiddleware, IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly PartitionedRateLimiter<IPAddress> _failures;
    private readonly PartitionedRateLimiter<IPAddress> _anonymous;

    public AddressLimits(IOptions<AccessOptions> options)
    {
        _failures = PerMinute(options.Value.FailedAuthenticationsPerMinute);
        _anonymous = PerMinute(options.Value.AnonymousRequestsPerMinute);
    }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.StartsWithSegments("/healthz"))
        {
            await next(context);
            return;
        }

        IPAddress address = Network(context.Connection.RemoteIpAddress);
        // Not AttemptAcquire with a count of 0: that is content with a fraction of a permit, which every tick of the limiter's timer brings.
        if (_failures.GetStatistics(address) is { CurrentAvailablePermits: < 1 }) throw TooMany("failed authentications");
        if (context.Request.Headers.Authorization.Count == 0)
        {
            using RateLimitLease lease = _anonymous.AttemptAcquire(address);
            if (!lease.IsAcquired) throw TooMany("requests without a token");
        }

        // Counted before the answer leaves: whoever has it may ask again at once.
        context.Response.OnStarting(() =>
        {
            if (context.Response.StatusCode == StatusCodes.Status401Unauthorized) _failures.AttemptAcquire(address).Dispose();
            return Task.CompletedTask;
        });
        await next(context);
    }

    public void Dispose()
    {
        _failures.Dispose();
        _anonymous.Dispose();
    }

    private static PartitionedRateLimiter<IPAddress> PerMinute(int count)
    {
        // Less than one a second comes back one by one.
        TimeSpan period = count < 60 ? TimeSpan.FromMinutes(1.0 / count) : Period;
        return PartitionedRateLimiter.Create<IPAddress, IPAddress>(address =>
            RateLimitPartition.GetTokenBucketLimiter(address, _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = count,
                TokensPerPeriod = Math.Max(1, count / 60),
                ReplenishmentPeriod = period,
                QueueLimit = 0,
            }));
    }

    private static RequestException TooMany(string what) =>
        new(RequestError.RateLimited, $"Too many {what} from this address: wait a moment.") { RetryAfter = Period };

    /// <summary>Who counts as one: an IPv4 address, or the /64 that a provider gives to one customer.</summary>
    private static IPAddress Network(IPAddress? address)
    {
        if (address is null) return IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        byte[] bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
