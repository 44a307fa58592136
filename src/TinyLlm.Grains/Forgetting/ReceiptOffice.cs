using System.Collections.Immutable;
using Microsoft.Extensions.Options;
using TinyLlm.Grains.Residency;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Forgetting;

/// <summary>Ends a deletion: every silo drops what it holds, and the receipt says what is gone, and what is not in the host's power.</summary>
public sealed class ReceiptOffice(ClusterMemory memory, AuditLog log, IOptions<RetentionOptions> retention, TimeProvider time)
{
    /// <summary>Call it when the files are gone.</summary>
    /// <param name="kind">"user", "model" or "version".</param>
    /// <param name="name">What is deleted.</param>
    /// <param name="owner">Whose it was.</param>
    /// <param name="versions">The versions that are gone.</param>
    /// <param name="storedBytes">Their bytes.</param>
    /// <param name="purged">What else was removed.</param>
    public async Task<SignedReceipt> CompleteAsync(
        string kind, string name, UserId owner, ImmutableArray<VersionId> versions, long storedBytes, params ImmutableArray<string> purged)
    {
        (int clear, int silent) = await memory.DropAsync(owner, kind == "user" ? null : versions);
        DateTimeOffset now = time.GetUtcNow();
        RetentionOptions kept = retention.Value;
        return log.Sign(new ForgetReceiptText
        {
            Kind = kind,
            Name = name,
            Owner = owner.Value,
            Versions = [.. versions.Select(version => version.Value)],
            StoredBytes = storedBytes,
            Purged = ["files", "resident_weights", .. purged],
            Silos = clear,
            SilosSilent = silent,
            Retained = kept.Days == 0 ? [] : [new RetainedCopy(kept.What, now.AddDays(kept.Days))],
            CompletedAt = now,
        });
    }
}
