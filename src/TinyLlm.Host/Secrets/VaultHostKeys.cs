using TinyLlm.Storage;

namespace TinyLlm.Host.Secrets;

/// <summary>
/// Host keys as the versions of one secret. The operator adds a version, has the host rewrap, and disables the older ones: the host may only read.
/// </summary>
internal sealed class VaultHostKeys(VaultSecrets vault) : HostKeySource
{
    public const string Name = "host";

    private const int KeyBytes = 32;

    public override IReadOnlyList<byte[]> Read() => vault.ReadKeyVersions(Name, KeyBytes);

    public override void Add()
    {
        // The new version is there already.
    }

    public override void RemoveOld()
    {
        // The operator disables the older versions.
    }
}
