using TinyLlm.Grains.Residency;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Models;

/// <summary>One model of a user, as the user grain stores it. A model with no version does not exist.</summary>
internal sealed class ModelRecord
{
    /// <summary>The name as its owner spelled it first.</summary>
    public required string Name { get; set; }

    /// <summary>Published versions, oldest first.</summary>
    public List<VersionRecord> Versions { get; set; } = [];

    /// <summary>The number that a bare name means since its owner rolled back to it; null: the newest.</summary>
    public int? RolledBackTo { get; set; }

    /// <summary>How many versions a publication leaves; null: as many as the host's limits say.</summary>
    public int? KeptVersions { get; set; }

    /// <summary>How long it stays in memory; null: the owner does not say.</summary>
    public KeepAlive? KeepAlive { get; set; }

    /// <summary>A copy with a list of its own.</summary>
    public ModelRecord Copy()
    {
        ModelRecord copy = (ModelRecord)MemberwiseClone();
        copy.Versions = [.. Versions];
        return copy;
    }
}

/// <summary>One published, immutable version of a model.</summary>
internal sealed class VersionRecord
{
    public required int Number { get; set; }

    public required VersionId Id { get; set; }

    /// <summary>Hexadecimal SHA-256 of the manifest's bytes.</summary>
    public required string ManifestDigest { get; set; }

    /// <summary>Hexadecimal SHA-256 of the bytes of the host's signature; null in a record that is older than signatures, and such a version is not served.</summary>
    public string? SignatureDigest { get; set; }

    /// <summary>The data key, wrapped by the user's; null when the files are not encrypted.</summary>
    public WrappedKey? Key { get; set; }

    public required DateTimeOffset CreatedAt { get; set; }

    public required ModelFacts Facts { get; set; }
}
