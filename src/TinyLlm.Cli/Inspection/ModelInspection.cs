using System.Collections.Immutable;
using System.Text.Json;
using TinyLlm.SafeTensors;

namespace TinyLlm.Cli.Inspection;

/// <summary>
/// What the SafeTensors files of a model are: every header, and that of several files each tensor lies where the index says. Reads headers alone, so it
/// takes as long for a large model as for a small one. Whether a host can serve it is the host's question.
/// </summary>
internal sealed record ModelInspection
{
    public const string WeightsSuffix = ".safetensors";

    private const string IndexFile = "model.safetensors.index.json";
    private const string AdapterFile = "adapter_model.safetensors";

    /// <summary>The path that was asked for.</summary>
    public required string Path { get; init; }

    public bool Valid => Faults.IsEmpty;

    /// <summary>The valid files, by name.</summary>
    public required ImmutableArray<InspectedFile> Files { get; init; }

    public required ImmutableArray<InspectionFault> Faults { get; init; }

    /// <summary>Inspects a file, or those of a folder (not of folders below it).</summary>
    public static async Task<ModelInspection> OfAsync(string path, CancellationToken cancellationToken)
    {
        bool isFolder = Directory.Exists(path);
        if (!isFolder && !File.Exists(path)) throw new UsageException($"'{path}' is neither a file nor a folder");
        string folder = isFolder ? path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!; // a file has a folder
        string[] names = isFolder
            ? [.. Directory.EnumerateFiles(path).Select(file => System.IO.Path.GetFileName(file)).Where(IsWeights).Order(StringComparer.Ordinal)]
            : [System.IO.Path.GetFileName(path)];

        Dictionary<string, SafeTensorsHeader> headers = [];
        List<InspectedFile> files = [];
        List<InspectionFault> faults = [];
        foreach (string name in names.Where(name => name != IndexFile))
        {
            try
            {
                await using FileStream stream = File.OpenRead(System.IO.Path.Combine(folder, name));
                SafeTensorsHeader header = await SafeTensorsHeader.ReadAsync(stream, stream.Length, cancellationToken);
                headers[name] = header;
                files.Add(Describe(name, stream.Length, header));
            }
            catch (SafeTensorsException fault)
            {
                faults.Add(Fault(fault, name));
            }
        }
        if (!isFolder ? names[0] == IndexFile : File.Exists(System.IO.Path.Combine(folder, IndexFile))) CheckIndex(folder, isFolder && faults.Count == 0 ? headers : null, faults);
        if (names.Length == 0) faults.Add(new InspectionFault("file_missing", $"*{WeightsSuffix}", null, $"the folder has no *{WeightsSuffix} file"));
        return new ModelInspection { Path = path, Files = [.. files], Faults = [.. faults] };
    }

    public static bool IsWeights(string name) => name.EndsWith(WeightsSuffix, StringComparison.Ordinal);

    private static void CheckIndex(string folder, Dictionary<string, SafeTensorsHeader>? headers, List<InspectionFault> faults)
    {
        try
        {
            ShardedIndex index = ShardedIndex.Parse(File.ReadAllBytes(System.IO.Path.Combine(folder, IndexFile)));
            headers?.Remove(AdapterFile); // an adapter is no shard of its base
            if (headers is not null) index.Validate(headers);
        }
        catch (SafeTensorsException fault)
        {
            faults.Add(Fault(fault, IndexFile));
        }
    }

    private static InspectedFile Describe(string name, long bytes, SafeTensorsHeader header) => new(
        name,
        bytes,
        header.Tensors.Length,
        header.Tensors.Sum(tensor => tensor.ElementCount),
        header.Tensors.GroupBy(tensor => tensor.DType.WireName()).ToImmutableSortedDictionary(group => group.Key, group => group.Sum(tensor => tensor.ElementCount), StringComparer.Ordinal),
        header.Metadata.ToImmutableSortedDictionary(StringComparer.Ordinal));

    private static InspectionFault Fault(SafeTensorsException fault, string file) =>
        new(JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.Error.ToString()), fault.FileName ?? file, fault.Tensor, fault.Message);
}
