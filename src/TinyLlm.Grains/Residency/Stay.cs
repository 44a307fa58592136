using TinyLlm.Grains.Access;

namespace TinyLlm.Grains.Residency;

/// <summary>What a request says about how long its model shall stay.</summary>
/// <param name="Asked">What the request itself asks for; null: nothing, or nothing that counts.</param>
/// <param name="Setting">What the owner set for the model; null: nothing.</param>
/// <param name="PinnableBytes">The most bytes of models that the owner may pin on one silo.</param>
internal sealed record Stay(KeepAlive? Asked, KeepAlive? Setting, long PinnableBytes)
{
    public static Stay Unsaid { get; } = new(null, null, 0);

    /// <summary>Only an owner's own request decides how long the model stays: others use it, and don't say what becomes of the owner's memory.</summary>
    public static Stay Of(ModelLease lease, KeepAlive? asked) => new(lease.Caller == lease.Owner ? asked : null, lease.KeepAlive, lease.PinnableBytes);
}
