namespace TinyLlm.Grains.Users;

/// <summary>Encryption at rest, in the section "TinyLlm:Encryption".</summary>
public sealed class EncryptionOptions
{
    /// <summary>
    /// Whether the files of new versions are encrypted. Default true. False is for a machine with a single owner, where weights are then used straight
    /// from the mapped files; versions that exist are read either way.
    /// </summary>
    public bool Enabled { get; set; } = true;
}
