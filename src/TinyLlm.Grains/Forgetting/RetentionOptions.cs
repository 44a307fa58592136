using System.ComponentModel.DataAnnotations;

namespace TinyLlm.Grains.Forgetting;

/// <summary>What the place of storage keeps of deleted objects by itself, in the section "TinyLlm:Retention": receipts name it.</summary>
public sealed class RetentionOptions
{
    /// <summary>Days that soft-deleted blobs, versions and backups are kept. Default 0: nothing is.</summary>
    [Range(0, 3650)]
    public int Days { get; set; }

    /// <summary>What is kept, in the operator's words.</summary>
    [Required]
    public string What { get; set; } = "soft-deleted objects and backups of the storage account";
}
