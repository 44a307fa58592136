namespace TinyLlm.Grains.Models;

/// <summary>The holder of the right to write one file of an upload, as the user grain stores it.</summary>
internal sealed class WriterRecord
{
    public required string LeaseId { get; set; }

    /// <summary>The silo whose process writes, and with which the right ends; null for none in particular.</summary>
    public SiloAddress? Silo { get; set; }
}
