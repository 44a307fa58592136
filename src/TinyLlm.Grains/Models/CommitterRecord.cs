namespace TinyLlm.Grains.Models;

/// <summary>Who commits an upload, or did so last, as the user grain stores it.</summary>
internal sealed class CommitterRecord
{
    public required string CommitId { get; set; }

    /// <summary>The silo whose process commits, and without which anyone may; null for none in particular.</summary>
    public SiloAddress? Silo { get; set; }
}
