using TinyLlm.Storage;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// Key of a model session: the internal version id, and the silo that it lives on. A recreated name has another version id, and a restarted silo another
/// address: a key never means anything else than it did.
/// </summary>
public readonly record struct SessionKey(VersionId Version, SiloAddress Silo)
{
    /// <summary>"version/silo", whose end <see cref="Placement.SiloOfKeyDirector"/> reads.</summary>
    public override string ToString() => $"{Version.Value}/{Silo.ToParsableString()}";

    /// <summary>The version in a key that <see cref="ToString"/> wrote.</summary>
    public static VersionId VersionOf(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        int slash = key.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? throw new FormatException("A session's key is a version id, a slash and a silo's address.") : VersionId.Parse(key[..slash]);
    }
}
