using System.Buffers;
using System.Security.Cryptography;
using TinyLlm.Engine;
using TinyLlm.Grains.Models;
using TinyLlm.SafeTensors;
using TinyLlm.Storage;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// Brings the weights of one version into memory.
/// <list type="number">
/// <item>Configuration and headers first (<see cref="PlanAsync"/>): every tensor is accounted for before a byte of the weights is taken.</item>
/// <item>Files that lie on this machine and are not encrypted are mapped. All others are read in ranges, several at a time, each decrypted straight into its
/// place in a buffer of the engine.</item>
/// <item>What is not authentic by itself is hashed, and compared with the manifest, before anyone uses it.</item>
/// </list>
/// </summary>
internal sealed class WeightLoader(VersionFiles files, IReadOnlySet<string> names) : IDisposable
{
    private const string ConfigFile = "config.json";
    private const string GenerationConfigFile = "generation_config.json";

    /// <summary>Read and hashed in one go: to hash it takes long beside two changes of thread.</summary>
    private const int HashedBytes = 1 << 20;

    /// <summary>Decryption takes a core each; where the store is a network away, four ranges under way hide its latency on few cores too.</summary>
    private static readonly int s_parallelism = Math.Max(4, Environment.ProcessorCount);

    private readonly Dictionary<string, VersionFile> _weights = [];
    private readonly string? _folder = files.TryGetLocalFolder();

    /// <summary>Whether the files' own pages become the weights.</summary>
    public bool IsMapped => _folder is not null;

    /// <summary>1. What the weights are.</summary>
    public async Task<CheckpointPlan> PlanAsync(CancellationToken cancellationToken)
    {
        DecoderConfig config = DecoderConfig.Parse(await files.ReadAsync(ConfigFile, ModelText.MaxConfigurationBytes, cancellationToken));
        if (names.Contains(GenerationConfigFile))
            config = config.WithGenerationConfig(await files.ReadAsync(GenerationConfigFile, ModelText.MaxConfigurationBytes, cancellationToken));
        byte[]? indexJson = names.Contains(CheckpointPlan.IndexName)
            ? await files.ReadAsync(CheckpointPlan.IndexName, ModelText.MaxTokenizerBytes, cancellationToken)
            : null;
        ShardedIndex? index = CheckpointPlan.ParseIndex(indexJson);

        Dictionary<string, SafeTensorsHeader> headers = new(StringComparer.Ordinal);
        foreach (string name in CheckpointPlan.FileNames(index))
        {
            VersionFile file = await files.OpenAsync(name, cancellationToken);
            _weights.Add(name, file);
            headers.Add(name, await SafeTensorsHeader.ReadAsync(file.AsStream(), file.Length, cancellationToken));
        }
        return CheckpointPlan.Check(config, index, headers);
    }

    /// <summary>2. and 3. The weights themselves; the caller has reserved their bytes.</summary>
    public async Task<Checkpoint> LoadAsync(CheckpointPlan plan, CancellationToken cancellationToken)
    {
        if (_folder is not null)
        {
            await Parallel.ForEachAsync(_weights, Parallelism(cancellationToken), async (file, cancel) => Require(file.Key, await DigestAsync(file.Value, cancel)));
            return Checkpoint.Open(_folder);
        }

        Dictionary<string, WeightBuffer> buffers = [];
        try
        {
            foreach ((string name, SafeTensorsHeader header) in plan.Headers) buffers.Add(name, new WeightBuffer(header));
            await Parallel.ForEachAsync(Ranges(), Parallelism(cancellationToken), async (range, cancel) =>
                await _weights[range.File].ReadAsync(range.Offset, buffers[range.File].Slice(range.Offset, range.Count), cancel));
            if (!files.IsEncrypted) await Task.WhenAll(buffers.Select(buffer => LowPriorityThreads.RunAsync(() => Require(buffer.Key, buffer.Value), cancellationToken)));
            return new Checkpoint(plan, buffers.ToDictionary(buffer => buffer.Key, WeightFile (buffer) => buffer.Value));
        }
        catch
        {
            foreach (WeightBuffer buffer in buffers.Values) buffer.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (VersionFile file in _weights.Values) file.Dispose();
    }

    private IEnumerable<(string File, long Offset, int Count)> Ranges()
    {
        foreach ((string name, VersionFile file) in _weights)
        {
            for (long offset = 0; offset < file.Length; offset += VersionFile.RangeBytes)
                yield return (name, offset, (int)Math.Min(VersionFile.RangeBytes, file.Length - offset));
        }
    }

    private static async Task<ContentDigest> DigestAsync(VersionFile file, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = ArrayPool<byte>.Shared.Rent(HashedBytes);
        try
        {
            for (long offset = 0; offset < file.Length; offset += HashedBytes)
            {
                int count = (int)Math.Min(HashedBytes, file.Length - offset);
                await file.ReadAsync(offset, piece.AsMemory(0, count), cancellationToken);
                await LowPriorityThreads.RunAsync(() => hash.AppendData(piece, 0, count), cancellationToken);
            }
            return new ContentDigest(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private void Require(string name, ContentDigest digest)
    {
        if (!files.Listed(name).Sha256.Equals(digest)) throw VersionFiles.Damaged(name);
    }

    /// <summary>The header was read before the digest was known: it must be the one that the digest covers.</summary>
    private void Require(string name, WeightBuffer buffer)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long offset = 0; offset < buffer.Length; offset += VersionFile.RangeBytes)
            hash.AppendData(buffer.Slice(offset, (int)Math.Min(VersionFile.RangeBytes, buffer.Length - offset)).Span);
        Require(name, new ContentDigest(hash.GetHashAndReset()));
        int headerBytes = (int)buffer.Header.DataOffset;
        SafeTensorsHeader verified = SafeTensorsHeader.Parse(buffer.Slice(SafeTensorsLimits.PrefixBytes, headerBytes - SafeTensorsLimits.PrefixBytes).Span, buffer.Length);
        if (!verified.Tensors.SequenceEqual(buffer.Header.Tensors)) throw VersionFiles.Damaged(name);
    }

    private static ParallelOptions Parallelism(CancellationToken cancellationToken) => new() { MaxDegreeOfParallelism = s_parallelism, CancellationToken = cancellationToken };
}
