using System.Globalization;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Sessions;

/// <summary>Key of a model session: the internal version id, and which replica of it. A recreated name has another version id.</summary>
public readonly record struct SessionKey(VersionId Version, int Replica)
{
    /// <summary>"version-replica".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Version.Value}-{Replica}");

    /// <summary>The key that <see cref="ToString"/> wrote.</summary>
    public static SessionKey Parse(string text)
    {
        int dash = text.LastIndexOf('-');
        if (dash < 0 || !int.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int replica))
        {
            throw new FormatException("A session's key is a version id, a dash and a replica number.");
        }
        return new SessionKey(VersionId.Parse(text[..dash]), replica);
    }
}
