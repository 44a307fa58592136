using TinyLlm.Storage;

namespace TinyLlm.Host.Secrets;

/// <summary>The secrets that a process starts with, by name: "admin-token", "tokens", "audit", "signing", "leases"; and the keys that wrap the users' keys.</summary>
internal abstract class HostSecrets
{
    /// <summary>The operator's token.</summary>
    public const string AdminToken = "admin-token";

    /// <summary>Where the host's keys lie.</summary>
    public abstract HostKeyRing OpenHostKeys();

    /// <summary>A secret's text as it is now.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="create">What it is where there is none yet and the host makes its own.</param>
    /// <exception cref="StoreException">It can't be used.</exception>
    public abstract string Read(string name, Func<string> create);

    /// <summary>A key of so many bytes, kept as hex.</summary>
    /// <exception cref="StoreException">It can't be used.</exception>
    public abstract byte[] ReadKey(string name, int byteCount);
}
