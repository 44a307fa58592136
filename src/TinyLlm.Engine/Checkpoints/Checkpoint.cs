using TinyLlm.SafeTensors;

namespace TinyLlm.Engine;

/// <summary>
/// A model as Hugging Face transformers saves it, validated and in memory: config.json, generation_config.json if any, and
/// model.safetensors or the shards that model.safetensors.index.json names. Its weights are mapped files, or buffers that were filled from
/// elsewhere. Knows no tensor library. The memory stays until this is disposed and every decoder that uses it in place is.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private const string ConfigName = "config.json", GenerationConfigName = "generation_config.json";

    // 64 MB: 300,000 tensors with long names; the format itself would allow more.
    private const int MaxIndexBytes = 64 << 20;

    private readonly IReadOnlyDictionary<string, WeightFile> _files;
    private readonly Dictionary<string, (WeightFile File, TensorInfo Info)> _tensors;
    private readonly Lock _lock = new();
    private int _holders = 1;
    private bool _isDisposed;
    private volatile bool _isUsedInPlace;

    /// <summary>Puts a plan and its files together; from here on the files are this checkpoint's to free.</summary>
    /// <param name="plan">What was checked.</param>
    /// <param name="files">Every file of the plan, filled.</param>
    public Checkpoint(CheckpointPlan plan, IReadOnlyDictionary<string, WeightFile> files)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(files);
        foreach ((string name, SafeTensorsHeader header) in plan.Headers)
        {
            if (!files.TryGetValue(name, out WeightFile? file) || file.Header != header)
                throw new ArgumentException($"{name} is missing, or is not the file whose header was checked", nameof(files));
        }
        Config = plan.Config;
        Facts = plan.Facts;
        _files = files;
        _tensors = files.Values.SelectMany(file => file.Header.Tensors, (file, info) => (File: file, Info: info))
            .ToDictionary(entry => entry.Info.Name, StringComparer.Ordinal);
        Names = TensorNameTable.Of(Config).WithPrefixOf(_tensors.Keys);
    }

    /// <summary>What the model is.</summary>
    public DecoderConfig Config { get; }

    /// <summary>What its weights amount to.</summary>
    public CheckpointFacts Facts { get; }

    /// <summary>Bytes of its files in this machine's memory, mapped or filled.</summary>
    public long HostBytes => _files.Values.Sum(file => file.Header.DataOffset + file.Header.DataBytes);

    /// <summary>Validates and maps a folder.</summary>
    /// <exception cref="ModelFormatException">It is no model that the engine can run.</exception>
    /// <exception cref="SafeTensorsException">A file of weights breaks the format.</exception>
    public static Checkpoint Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);

        // 1. The configuration, which is small.
        DecoderConfig config = DecoderConfig.Parse(ReadSmall(folder, ConfigName));
        if (File.Exists(Path.Combine(folder, GenerationConfigName))) config = config.WithGenerationConfig(ReadSmall(folder, GenerationConfigName));

        // 2. The files of weights, and that index and shards agree. 3. Every tensor.
        Dictionary<string, WeightFile> files = new(StringComparer.Ordinal);
        try
        {
            ShardedIndex? index = OpenFiles(folder, files);
            return new Checkpoint(CheckpointPlan.Check(config, index, files.ToDictionary(file => file.Key, file => file.Value.Header, StringComparer.Ordinal)), files);
        }
        catch
        {
            foreach (WeightFile file in files.Values) file.Dispose();
            throw;
        }
    }

    /// <summary>Whether the memory is gone: this is disposed, and no decoder uses it in place.</summary>
    public bool IsReleased
    {
        get
        {
            lock (_lock) return _holders == 0;
        }
    }

    /// <summary>Unmaps or frees the files, once no decoder holds them.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }
        Release();
    }

    /// <summary>What its tensors are called.</summary>
    internal TensorNames Names { get; }

    /// <summary>Keeps the files in memory until a matching <see cref="Release"/>.</summary>
    internal void Hold()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _holders++;
        }
    }

    internal void Release()
    {
        lock (_lock)
        {
            if (--_holders > 0) return;
        }
        foreach (WeightFile file in _files.Values) file.Dispose();
    }

    /// <summary>Whether a decoder has tensors over these bytes; one that has only copies need not hold them.</summary>
    internal bool IsUsedInPlace
    {
        get => _isUsedInPlace;
        set => _isUsedInPlace = value;
    }

    internal TensorInfo Info(string name) => _tensors[name].Info;

    /// <summary>The tensor's bytes, valid while held.</summary>
    internal unsafe byte* Pointer(string name) => _tensors[name].File.Pointer(_tensors[name].Info);

    private static ShardedIndex? OpenFiles(string folder, Dictionary<string, WeightFile> files)
    {
        bool hasIndex = File.Exists(Path.Combine(folder, CheckpointPlan.IndexName));
        if (!hasIndex && !File.Exists(Path.Combine(folder, CheckpointPlan.WeightsName)))
        {
            throw new ModelFormatException(
                ModelFormatError.MissingFile, CheckpointPlan.WeightsName,
                $"neither {CheckpointPlan.WeightsName} nor {CheckpointPlan.IndexName} is in the folder: a model has one of them");
        }
        ShardedIndex? index = CheckpointPlan.ParseIndex(hasIndex ? ReadFile(folder, CheckpointPlan.IndexName, MaxIndexBytes) : null);
        foreach (string name in CheckpointPlan.FileNames(index))
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path)) files.Add(name, new MappedWeights(SafeTensorsFile.Open(path)));
        }
        return index;
    }

    private static byte[] ReadSmall(string folder, string name) => ReadFile(folder, name, ConfigFile.MaxBytes);

    private static byte[] ReadFile(string folder, string name, int maxBytes)
    {
        FileInfo file = new(Path.Combine(folder, name));
        if (!file.Exists) throw new ModelFormatException(ModelFormatError.MissingFile, name, $"{name} is not in the folder: every model has it");
        if (file.Length > maxBytes) throw ConfigFile.TooLarge(name, file.Length, maxBytes);
        return File.ReadAllBytes(file.FullName);
    }
}
