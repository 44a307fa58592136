using System.Collections.Immutable;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Grains.Trust;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Users;

/// <summary>The rules of a user's models and versions, over the user's state. Knows no storage and no call.</summary>
internal sealed class ModelBook(UserLimits limits, TimeProvider time)
{
    /// <summary>How long a repeated commit is answered as the first was.</summary>
    private static readonly TimeSpan CommittedLifetime = TimeSpan.FromHours(24);

    /// <summary>Deleted names whose last number is remembered: some 50 KB of the user's state.</summary>
    internal const int MaxRememberedNames = 1_000;

    /// <summary>Makes a closed upload the newest version of its model.</summary>
    public PublishedVersion Publish(UserState state, UploadRecord upload, string manifestDigest, string signatureDigest, ModelFacts facts)
    {
        EntityName name = EntityName.Parse(upload.Model);
        UploadBook.RefuseOtherSpelling(state, name);
        UploadBook.RefuseModelBeyondQuota(state, name, limits);
        TrustBook.RefuseUntrusted(state, facts.Signature);
        ModelRecord model = state.Models.GetValueOrDefault(name.Folded) ?? new ModelRecord { Name = name.Value };
        if (model.Versions.Count >= limits.MaxVersions && !(KeptVersions(model) <= limits.MaxVersions))
        {
            throw new RequestException(
                RequestError.QuotaExceeded, $"versions: this model has {model.Versions.Count}, and {limits.MaxVersions} is the bound: delete one first.");
        }

        // Counted at writing already, but writers of several files at once may together have gone beyond the bound.
        long others = UploadBook.StoredBytes(state) - upload.Files.Values.Sum();
        long bound = UploadBook.StoredBytesBound(state, limits);
        if (facts.StoredBytes > bound - others)
        {
            throw new RequestException(
                RequestError.QuotaExceeded,
                $"stored bytes: {others} are in use, this model has {facts.StoredBytes}, and {bound} is the bound: delete a model first.");
        }

        DateTimeOffset now = time.GetUtcNow();
        int number = state.LastVersions.GetValueOrDefault(name.Folded, state.VersionFloor) + 1;
        VersionRecord version = new() { Number = number, Id = upload.Version, ManifestDigest = manifestDigest, SignatureDigest = signatureDigest, Key = upload.Key, CreatedAt = now, Facts = facts };
        model.Versions.Add(version);
        model.RolledBackTo = null; // who publishes wants it used
        while (model.Versions.Count > KeptVersions(model)) RemoveOldest(state, model);
        state.Models[name.Folded] = model;
        state.LastVersions[name.Folded] = number;

        upload.Phase = UploadPhase.Committed;
        upload.CommitUntil = null;
        upload.Key = null; // the version has it
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

    /// <summary>The record of a version that <see cref="FindVersion"/> described.</summary>
    public static VersionRecord RecordOf(UserState state, PublishedVersion version) =>
        Find(state, version.Model).Versions.First(record => record.Id == version.Version);

    /// <summary>The current version of each model, by name.</summary>
    public static ImmutableArray<PublishedVersion> List(UserState state) =>
        [.. state.Models.Values.OrderBy(model => model.Name, StringComparer.Ordinal).Select(model => Describe(state, model, Current(model)))];

    /// <summary>The current version of a model, by its folded name; null when there is no such model.</summary>
    public static PublishedVersion? FindCurrent(UserState state, string folded) =>
        state.Models.TryGetValue(folded, out ModelRecord? model) ? Describe(state, model, Current(model)) : null;

    /// <summary>Every version, newest first.</summary>
    public static ImmutableArray<PublishedVersion> ListVersions(UserState state, string name)
    {
        ModelRecord model = Find(state, name);
        return [.. model.Versions.AsEnumerable().Reverse().Select(version => Describe(state, model, version))];
    }

    /// <summary>One version; without a number, the current one.</summary>
    public static PublishedVersion FindVersion(UserState state, string name, int? number)
    {
        ModelRecord model = Find(state, name);
        return Describe(state, model, number is { } wanted ? Find(model, wanted) : Current(model));
    }

    /// <summary>Makes a version the one that the bare name means, until the next publication.</summary>
    public static PublishedVersion SetCurrent(UserState state, string name, int number)
    {
        ModelRecord model = Find(state, name);
        VersionRecord version = Find(model, number);
        model.RolledBackTo = version == model.Versions[^1] ? null : number;
        return Describe(state, model, version);
    }

    /// <summary>Says how many versions later publications leave; null: what the host's limits say.</summary>
    public void SetKeptVersions(UserState state, string name, int? count)
    {
        if (count < 1 || count > limits.MaxVersions)
        {
            throw new RequestException(RequestError.Malformed, $"keep_versions: must be between 1 and {limits.MaxVersions}, or null.") { Parameter = "keep_versions" };
        }
        Find(state, name).KeptVersions = count;
    }

    /// <summary>Takes a model out of the state; its versions' bytes are doomed.</summary>
    public static VersionRecord[] Delete(UserState state, string name)
    {
        ModelRecord model = Find(state, name);
        state.Models.Remove(EntityName.Parse(name).Folded);
        foreach (VersionRecord version in model.Versions) Doom(state, version);
        ForgetOldNumbers(state);
        return [.. model.Versions];
    }

    /// <summary>Takes one version out of the state; its bytes are doomed.</summary>
    public static VersionRecord DeleteVersion(UserState state, string name, int number)
    {
        ModelRecord model = Find(state, name);
        VersionRecord version = Find(model, number);
        model.Versions.Remove(version);
        if (model.RolledBackTo == number) model.RolledBackTo = null;
        if (model.Versions.Count == 0) state.Models.Remove(EntityName.Parse(name).Folded);
        Doom(state, version);
        ForgetOldNumbers(state);
        return version;
    }

    /// <summary>Bytes go, and so does the upload that they came from: its idempotency key must not lead to a version that is gone.</summary>
    private static void Doom(UserState state, VersionRecord version)
    {
        state.Doomed.Add(version.Id);
        foreach (string id in state.Uploads.Where(pair => pair.Value.Version == version.Id).Select(pair => pair.Key).ToArray()) state.Uploads.Remove(id);
    }

    /// <summary>
    /// Numbers of deleted names are remembered up to a bound, because names come and go without end. Beyond it all of them are forgotten at
    /// once, and names that are new from then on count from above the highest.
    /// </summary>
    private static void ForgetOldNumbers(UserState state)
    {
        string[] gone = [.. state.LastVersions.Keys.Where(name => !state.Models.ContainsKey(name))];
        if (gone.Length <= MaxRememberedNames) return;
        foreach (string name in gone)
        {
            state.VersionFloor = Math.Max(state.VersionFloor, state.LastVersions[name]);
            state.LastVersions.Remove(name);
        }
    }

    private int? KeptVersions(ModelRecord model) => model.KeptVersions ?? limits.KeptVersions;

    /// <summary>Only at a publication, when the current version is the newest.</summary>
    private static void RemoveOldest(UserState state, ModelRecord model)
    {
        Doom(state, model.Versions[0]);
        model.Versions.RemoveAt(0);
    }

    private static VersionRecord Current(ModelRecord model) =>
        model.RolledBackTo is { } number ? Find(model, number) : model.Versions[^1];

    private static VersionRecord Find(ModelRecord model, int number) =>
        model.Versions.FirstOrDefault(version => version.Number == number) ?? throw RequestException.NotFound("model");

    /// <summary>The model of exactly this name.</summary>
    public static ModelRecord Find(UserState state, string name) =>
        EntityName.TryParse(name, out EntityName parsed) && state.Models.TryGetValue(parsed.Folded, out ModelRecord? model) && model.Name == name
            ? model
            : throw RequestException.NotFound("model");

    /// <summary>One version as others see it.</summary>
    public static PublishedVersion Describe(UserState state, ModelRecord model, VersionRecord version) => new()
    {
        Owner = state.Name,
        Model = model.Name,
        Number = version.Number,
        ManifestDigest = version.ManifestDigest,
        CreatedAt = version.CreatedAt,
        Facts = version.Facts,
        Version = version.Id,
        Current = version == Current(model),
        HasTrustedSignature = TrustBook.IsTrusted(state, version.Facts.Signature),
    };
}
