using System.Collections.Immutable;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>The rules of a user's models and versions, over the user's state. Knows no storage and no call.</summary>
internal sealed class ModelBook(UserLimits limits, TimeProvider time)
{
    /// <summary>How long a repeated commit is answered as the first was.</summary>
    private static readonly TimeSpan CommittedLifetime = TimeSpan.FromHours(24);

    /// <summary>Makes a closed upload the newest version of its model.</summary>
    public PublishedVersion Publish(UserState state, UploadRecord upload, string manifestDigest, ModelFacts facts)
    {
        EntityName name = EntityName.Parse(upload.Model);
        UploadBook.RefuseOtherSpelling(state, name);
        ModelRecord model = state.Models.GetValueOrDefault(name.Folded) ?? new ModelRecord { Name = name.Value };
        if (model.Versions.Count >= limits.MaxVersions)
        {
            throw new RequestException(
                RequestError.QuotaExceeded, $"versions: this model has {model.Versions.Count}, and {limits.MaxVersions} is the bound: delete one first.");
        }

        DateTimeOffset now = time.GetUtcNow();
        int number = state.LastVersions.GetValueOrDefault(name.Folded) + 1;
        VersionRecord version = new() { Number = number, Id = upload.Version, ManifestDigest = manifestDigest, CreatedAt = now, Facts = facts };
        model.Versions.Add(version);
        state.Models[name.Folded] = model;
        state.LastVersions[name.Folded] = number;

        upload.Phase = UploadPhase.Committed;
        upload.CommitUntil = null;
        upload.ExpiresAt = now + CommittedLifetime;
        upload.Number = number;
        upload.ManifestDigest = manifestDigest;
        return Describe(state, model, version);
    }

    /// <summary>What a committed upload became, or null when that version was deleted since.</summary>
    public static PublishedVersion? FindPublished(UserState state, UploadRecord upload)
    {
        ModelRecord? model = state.Models.GetValueOrDefault(EntityName.Parse(upload.Model).Folded);
        VersionRecord? version = model?.Versions.FirstOrDefault(version => version.Id == upload.Version);
        return version is null ? null : Describe(state, model!, version);
    }

    /// <summary>The newest version of each model, by name.</summary>
    public static ImmutableArray<PublishedVersion> List(UserState state) =>
        [.. state.Models.Values.OrderBy(model => model.Name, StringComparer.Ordinal).Select(model => Describe(state, model, model.Versions[^1]))];

    /// <summary>Every version, newest first.</summary>
    public static ImmutableArray<PublishedVersion> ListVersions(UserState state, string name)
    {
        ModelRecord model = Find(state, name);
        return [.. model.Versions.AsEnumerable().Reverse().Select(version => Describe(state, model, version))];
    }

    /// <summary>One version; without a number, the newest.</summary>
    public static PublishedVersion FindVersion(UserState state, string name, int? number)
    {
        ModelRecord model = Find(state, name);
        VersionRecord? version = number is null ? model.Versions[^1] : model.Versions.FirstOrDefault(version => version.Number == number);
        return version is null ? throw RequestException.NotFound("model") : Describe(state, model, version);
    }

    /// <summary>Takes a model out of the state; its versions' bytes are doomed.</summary>
    public static void Delete(UserState state, string name)
    {
        ModelRecord model = Find(state, name);
        state.Models.Remove(EntityName.Parse(name).Folded);
        state.Doomed.UnionWith(model.Versions.Select(version => version.Id));
    }

    /// <summary>Takes one version out of the state; its bytes are doomed.</summary>
    public static void DeleteVersion(UserState state, string name, int number)
    {
        ModelRecord model = Find(state, name);
        VersionRecord version = model.Versions.FirstOrDefault(version => version.Number == number) ?? throw RequestException.NotFound("model");
        model.Versions.Remove(version);
        if (model.Versions.Count == 0) state.Models.Remove(EntityName.Parse(name).Folded);
        state.Doomed.Add(version.Id);
    }

    private static ModelRecord Find(UserState state, string name) =>
        EntityName.TryParse(name, out EntityName parsed) && state.Models.TryGetValue(parsed.Folded, out ModelRecord? model) && model.Name == name
            ? model
            : throw RequestException.NotFound("model");

    private static PublishedVersion Describe(UserState state, ModelRecord model, VersionRecord version) => new()
    {
        Owner = state.Name,
        Model = model.Name,
        Number = version.Number,
        ManifestDigest = version.ManifestDigest,
        CreatedAt = version.CreatedAt,
        Facts = version.Facts,
        Version = version.Id,
    };
}
