using TinyLlm.SafeTensors;

namespace TinyLlm.Engine;

/// <summary>
/// A model folder as Hugging Face transformers saves it, validated and mapped: config.json, generation_config.json if any, and
/// model.safetensors or the shards that model.safetensors.index.json names. Knows no tensor library. The files stay mapped until this is
/// disposed and every decoder made of it is.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private const string ConfigName = "config.json", GenerationConfigName = "generation_config.json";
    private const string WeightsName = "model.safetensors", IndexName = "model.safetensors.index.json";

    // 64 MB: 300,000 tensors with long names; the format itself would allow more.
    private const int MaxIndexBytes = 64 << 20;

    private readonly Dictionary<string, SafeTensorsFile> _files;
    private readonly Dictionary<string, (SafeTensorsFile File, TensorInfo Info)> _tensors;
    private readonly Lock _lock = new();
    private int _holders = 1;
    private bool _isDisposed;

    private Checkpoint(DecoderConfig config, CheckpointFacts facts, Dictionary<string, SafeTensorsFile> files)
    {
        Config = config;
        Facts = facts;
        _files = files;
        _tensors = files.Values.SelectMany(file => file.Header.Tensors, (file, info) => (File: file, Info: info))
            .ToDictionary(entry => entry.Info.Name, StringComparer.Ordinal);
        Names = TensorNameTable.Of(config).WithPrefixOf(_tensors.Keys);
    }

    /// <summary>What the model is.</summary>
    public DecoderConfig Config { get; }

    /// <summary>What its weights amount to.</summary>
    public CheckpointFacts Facts { get; }

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
        Dictionary<string, SafeTensorsFile> files = new(StringComparer.Ordinal);
        try
        {
            ShardedIndex? index = OpenFiles(folder, files);
            index?.Validate(files.ToDictionary(file => file.Key, file => file.Value.Header, StringComparer.Ordinal));
            CheckpointFacts facts = CheckpointLayout.Validate(
                config, files.SelectMany(file => file.Value.Header.Tensors, (file, tensor) => (file.Key, tensor)));
            return new Checkpoint(config, facts, files);
        }
        catch
        {
            foreach (SafeTensorsFile file in files.Values) file.Dispose();
            throw;
        }
    }

    /// <summary>Unmaps the files, once no decoder holds them.</summary>
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

    /// <summary>Keeps the files mapped until a matching <see cref="Release"/>.</summary>
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
        foreach (SafeTensorsFile file in _files.Values) file.Dispose();
    }

    internal TensorInfo Info(string name) => _tensors[name].Info;

    /// <summary>The tensor's bytes in the mapping, valid while held.</summary>
    internal unsafe byte* Pointer(string name) => _tensors[name].File.GetPointer(_tensors[name].Info);

    private static ShardedIndex? OpenFiles(string folder, Dictionary<string, SafeTensorsFile> files)
    {
        if (!File.Exists(Path.Combine(folder, IndexName)))
        {
            if (!File.Exists(Path.Combine(folder, WeightsName)))
                throw new ModelFormatException(ModelFormatError.MissingFile, WeightsName, $"neither {WeightsName} nor {IndexName} is in the folder: a model has one of them");
            files.Add(WeightsName, SafeTensorsFile.Open(Path.Combine(folder, WeightsName)));
            return null;
        }
        ShardedIndex index;
        try
        {
            index = ShardedIndex.Parse(ReadFile(folder, IndexName, MaxIndexBytes));
        }
        catch (SafeTensorsException exception) when (exception.FileName is null)
        {
            throw exception.InFile(IndexName);
        }
        foreach (string shard in index.WeightMap.Values.Distinct(StringComparer.Ordinal))
        {
            string path = Path.Combine(folder, shard);
            if (File.Exists(path)) files.Add(shard, SafeTensorsFile.Open(path));
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
