using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using TinyLlm.SafeTensors;

namespace TinyLlm.Cli.Inspection;

/// <summary>
/// What the SafeTensors files of a model are: every header, and that of several files each tensor lies where the index says. Reads headers alone, so it
/// takes as long for a large model as for a small one. Whether a host can serve it is the host's question.
/// </summary>
internal sealed record ModelInspection
{
    private const string WeightsSuffix = ".safetensors";
    private const string AnyWeights = $"*{WeightsSuffix}";
    private const string IndexFile = "model.safetensors.index.json";
    private const string AdapterFile = "adapter_model.safetensors";

    /// <summary>The path that was asked for.</summary>
    public required string Path { get; init; }

    public bool Valid => Faults.IsEmpty;

    /// <summary>The valid files, by name.</summary>
    public required ImmutableArray<InspectedFile> Files { get; init; }

    public required ImmutableArray<InspectionFault> Faults { get; init; }

    /// <summary>Files of the folder in formats that are not used.</summary>
    public required ImmutableArray<ForeignFile> Foreign { get; init; }

    /// <summary>Bytes of the SafeTensors files, valid or not.</summary>
    [JsonIgnore]
    public long Bytes { get; private init; }

    /// <summary>Whether there is a SafeTensors file, valid or not.</summary>
    [JsonIgnore]
    public bool HasWeights { get; private init; }

    /// <summary>Whether it is a folder that was read and holds nothing of a model.</summary>
    [JsonIgnore]
    public bool IsNoModel => !HasWeights && Foreign.IsEmpty && Faults is [{ File: AnyWeights }];

    /// <summary>
    /// Inspects a file, or those of a folder (not of folders below it); an index with its folder, for it says nothing by itself. What can't be read is a fault
    /// of the file, and the others are inspected all the same.
    /// </summary>
    public static async Task<ModelInspection> OfAsync(string path, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(path) && !File.Exists(path)) return Unread(path, "file_missing", "it is neither a file nor a folder: correct the path, which must be UTF-8");
        string full = System.IO.Path.GetFullPath(path);
        bool isFile = !Directory.Exists(full) && System.IO.Path.GetFileName(full) != IndexFile;
        string folder = Directory.Exists(full) ? full : System.IO.Path.GetDirectoryName(full)!; // a file lies in a folder
        string[] names;
        try
        {
            names = isFile ? [System.IO.Path.GetFileName(full)] : [.. Directory.EnumerateFileSystemEntries(folder).Select(entry => System.IO.Path.GetFileName(entry)).Order(StringComparer.Ordinal)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Unread(path, "folder_unreadable", $"what is in it can't be listed: {fault.Message}");
        }

        // A file that was asked for by its name is weights, unless that says otherwise.
        string[] weights = [.. names.Where(name => isFile ? ForeignFormat.Verdict(name) is null : IsWeights(name))];
        ImmutableArray<ForeignFile> foreign = [.. names.Select(name => ForeignFormat.Look(folder, name)).OfType<ForeignFile>()];
        Dictionary<string, SafeTensorsHeader> headers = [];
        List<InspectedFile> files = [];
        List<InspectionFault> faults = [];
        long bytes = 0;
        foreach (string name in weights)
        {
            try
            {
                string file = System.IO.Path.Combine(folder, name);
                LocalFile.Require(file);
                await using FileStream stream = File.OpenRead(file);
                bytes += stream.Length;
                SafeTensorsHeader header = await SafeTensorsHeader.ReadAsync(stream, stream.Length, cancellationToken);
                headers[name] = header;
                files.Add(Describe(name, stream.Length, header));
            }
            catch (Exception exception) when (Fault(exception, name) is { } fault)
            {
                faults.Add(fault);
            }
        }
        if (names.Contains(IndexFile)) CheckIndex(folder, faults.Count == 0 ? headers : null, faults);
        if (isFile) faults.AddRange(foreign.Select(NotSafeTensors));
        else if (weights.Length == 0) faults.Add(new InspectionFault("file_missing", AnyWeights, null, $"the folder has no {AnyWeights} file"));
        return new ModelInspection { Path = path, Files = [.. files], Faults = [.. faults], Foreign = isFile ? [] : foreign, Bytes = bytes, HasWeights = weights.Length > 0 };
    }

    private static bool IsWeights(string name) => name.EndsWith(WeightsSuffix, StringComparison.Ordinal);

    private static ModelInspection Unread(string path, string code, string message)
    {
        string name = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(path));
        return new ModelInspection { Path = path, Files = [], Faults = [new InspectionFault(code, name.Length > 0 ? name : path, null, message)], Foreign = [] };
    }

    private static void CheckIndex(string folder, Dictionary<string, SafeTensorsHeader>? headers, List<InspectionFault> faults)
    {
        try
        {
            string file = System.IO.Path.Combine(folder, IndexFile);
            LocalFile.Require(file);
            ShardedIndex index = ShardedIndex.Parse(File.ReadAllBytes(file));
            headers?.Remove(AdapterFile); // an adapter is no shard of its base
            if (headers is not null) index.Validate(headers);
        }
        catch (Exception exception) when (Fault(exception, IndexFile) is { } fault)
        {
            faults.Add(fault);
        }
    }

    private static InspectionFault NotSafeTensors(ForeignFile file) => new(
        "not_safetensors", file.Name, null, $"by its name it is not SafeTensors but of a format that is {file.Verdict}, and was not opened: convert it to SafeTensors");

    private static InspectedFile Describe(string name, long bytes, SafeTensorsHeader header) => new(
        name,
        bytes,
        header.Tensors.Length,
        header.Tensors.Sum(tensor => tensor.ElementCount),
        header.Tensors.GroupBy(tensor => tensor.DType.WireName()).ToImmutableSortedDictionary(group => group.Key, group => group.Sum(tensor => tensor.ElementCount), StringComparer.Ordinal),
        header.Metadata.ToImmutableSortedDictionary(StringComparer.Ordinal));

    /// <summary>What a file is refused for; null for a fault that is not the file's.</summary>
    private static InspectionFault? Fault(Exception exception, string file) => exception switch
    {
        SafeTensorsException fault => new(JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.Error.ToString()), fault.FileName ?? file, fault.Tensor, fault.Message),
        UsageException fault => new("not_a_file", file, null, fault.Message),
        FileNotFoundException or DirectoryNotFoundException => new("file_missing", file, null, "it is a link that leads nowhere, has a name that is not UTF-8, or was taken away meanwhile: put the file there"),
        IOException or UnauthorizedAccessException => new("file_unreadable", file, null, $"it can't be read: {exception.Message}"),
        _ => null,
    };
}
