using TinyLlm.Engine;
using TinyLlm.Text;

namespace TinyLlm.Grains.Residency;

/// <summary>A version in the machine's own memory: verified, decrypted, and ready for the device. Guarded by the <see cref="HostTier"/> that keeps it.</summary>
internal sealed class HostCopy(VersionAddress address, Checkpoint checkpoint, Tokenizer tokenizer, ChatTemplate template)
{
    public VersionAddress Address => address;

    public Checkpoint Checkpoint => checkpoint;

    public Tokenizer Tokenizer => tokenizer;

    public ChatTemplate Template => template;

    public long Bytes => checkpoint.HostBytes;

    /// <summary>Loads that read it.</summary>
    public int Holds { get; set; }

    /// <summary>Whether the tier let go of it: the last load that reads it frees it.</summary>
    public bool IsOut { get; set; }
}
