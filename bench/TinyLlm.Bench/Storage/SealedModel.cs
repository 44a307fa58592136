using System.Security.Cryptography;
using TinyLlm.Storage;

namespace TinyLlm.Bench.Storage;

/// <summary>One encrypted version in a store: a folder's files, sent as an upload sends them.</summary>
internal sealed class SealedModel(ObjectStore store)
{
    private readonly UserId _owner = UserId.New();
    private readonly VersionId _version = VersionId.New();
    private VersionKey? _key;

    public UserId Owner => _owner;

    public VersionId Version => _version;

    public VersionKey Key => _key ??= new VersionKey(_owner, "bench", _version, RandomNumberGenerator.GetBytes(32));

    public ModelFiles Files { get; } = new(store);

    /// <summary>The names of its files.</summary>
    public HashSet<string> Names { get; } = [];

    /// <summary>Sends a folder; it is not committed yet.</summary>
    public async Task<SealedModel> SendAsync(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(folder))
        {
            await using FileStream file = File.OpenRead(path);
            ModelFileName name = ModelFileName.Parse(Path.GetFileName(path));
            await Files.AppendAsync(_owner, _version, name, 0, file, long.MaxValue, null, Key, CancellationToken.None);
            Names.Add(name.Value);
        }
        return this;
    }

    /// <summary>Hashes the files and writes the manifest.</summary>
    public Task<ModelManifest> SealAsync() => Files.SealAsync(_owner, _version, Key, CancellationToken.None);

    /// <summary>The object of the encrypted weights.</summary>
    public string WeightsObject => ModelFiles.ObjectNameOf(_owner, _version, ModelFileName.Parse("model.safetensors")) + ".sealed";
}
