using System.Text.Json;
using TinyLlm.Cli.Inspection;
using TinyLlm.SafeTensors;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Push;

/// <summary>One file to send.</summary>
/// <param name="Name">Its bare name, which is also its name on the server.</param>
/// <param name="Path">Where it lies.</param>
/// <param name="Bytes">Its length when the folder was read.</param>
internal sealed record ModelFile(string Name, string Path, long Bytes);

/// <summary>
/// What of a local folder is a model's, and what is left out, after the cheap checks that spare a useless upload: headers of all weights, the
/// index, config.json. The server repeats them and does the rest.
/// </summary>
internal sealed record ModelFolder
{
    private const string Index = "model.safetensors.index.json";
    private const string Signature = "model.sig";
    private const string Weights = ".safetensors";

    /// <summary>Files to send, small ones first.</summary>
    public required IReadOnlyList<ModelFile> Files { get; init; }

    /// <summary>Names that stay behind; folders end with a slash.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>Reads and checks a folder; a <see cref="UsageException"/> names the file, and the tensor, at fault.</summary>
    public static async Task<ModelFolder> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder)) throw new UsageException($"'{folder}' is not a folder");
        List<ModelFile> files = [];
        List<string> leftOut = [];
        foreach (FileSystemInfo entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            if (Directory.Exists(entry.FullName)) leftOut.Add($"{entry.Name}/");
            else if (ModelFileName.TryParse(entry.Name, out _)) files.Add(new ModelFile(entry.Name, entry.FullName, LocalFile.Length(entry.FullName)));
            else leftOut.Add(entry.Name);
        }
        if (!files.Exists(file => file.Name is "config.json" or "adapter_config.json"))
            throw new UsageException($"'{folder}' has no config.json: give the folder of a model in the Hugging Face layout");
        if (!files.Exists(IsWeights)) throw new UsageException($"'{folder}' has no *{Weights} file");

        CheckJson(files);
        ShardedIndex? index = ReadIndex(files);
        LeaveOut(files, leftOut, index);
        CheckSignature(files);
        await CheckWeightsAsync(files, index, cancellationToken);
        return new ModelFolder
        {
            Files = [.. files.OrderBy(file => IsWeights(file)).ThenBy(file => file.Name, StringComparer.Ordinal)],
            LeftOut = [.. leftOut.Order(StringComparer.Ordinal)],
        };
    }

    // Of several forms of the same weights the one that a loader takes: what the index names, else model.safetensors, else all there is.
    private static void LeaveOut(List<ModelFile> files, List<string> leftOut, ShardedIndex? index)
    {
        HashSet<string> wanted = index is null ? ["model.safetensors"] : [.. index.WeightMap.Values];
        if (index is null && !files.Exists(file => wanted.Contains(file.Name))) return;
        wanted.Add("adapter_model.safetensors");
        leftOut.AddRange(files.Where(file => IsWeights(file) && !wanted.Contains(file.Name)).Select(file => file.Name));
        files.RemoveAll(file => IsWeights(file) && !wanted.Contains(file.Name));
    }

    private static void CheckJson(List<ModelFile> files)
    {
        foreach (ModelFile file in files.Where(file => file.Name.EndsWith(".json", StringComparison.Ordinal)))
        {
            try
            {
                using FileStream stream = File.OpenRead(file.Path);
                using JsonDocument document = JsonDocument.Parse(stream);
            }
            catch (JsonException fault)
            {
                throw new UsageException($"{file.Name} is not JSON: line {fault.LineNumber + 1}, byte {fault.BytePositionInLine + 1}");
            }
        }
    }

    // Which files a signature covers; that their bytes are those that were signed is for the server to say.
    private static void CheckSignature(List<ModelFile> files)
    {
        ModelFile? signature = files.Find(file => file.Name == Signature);
        if (signature is null) return;
        try
        {
            ModelStatement statement = SignatureFile.Read(signature.Path).UnverifiedStatement();
            string? absent = statement.Files.Select(signed => signed.Name).FirstOrDefault(name => !files.Exists(file => file.Name == name));
            if (absent is not null) throw new UsageException($"{Signature} covers '{absent}', which is no file that is sent: sign the files anew, or take {Signature} away");
        }
        catch (SignatureException fault)
        {
            throw new UsageException($"{Signature}: {fault.Message}");
        }
    }

    private static ShardedIndex? ReadIndex(List<ModelFile> files)
    {
        ModelFile? file = files.Find(file => file.Name == Index);
        if (file is null) return null;
        try
        {
            ShardedIndex index = ShardedIndex.Parse(File.ReadAllBytes(file.Path));
            string? absent = index.WeightMap.Values.FirstOrDefault(shard => !files.Exists(file => file.Name == shard));
            return absent is null ? index : throw new UsageException($"{Index} names '{absent}', which is not in the folder");
        }
        catch (SafeTensorsException fault)
        {
            throw Refuse(file.Name, fault);
        }
    }

    private static async Task CheckWeightsAsync(List<ModelFile> files, ShardedIndex? index, CancellationToken cancellationToken)
    {
        Dictionary<string, SafeTensorsHeader> headers = [];
        foreach (ModelFile file in files.Where(IsWeights))
        {
            try
            {
                await using FileStream stream = File.OpenRead(file.Path);
                headers.Add(file.Name, await SafeTensorsHeader.ReadAsync(stream, file.Bytes, cancellationToken));
            }
            catch (SafeTensorsException fault)
            {
                throw Refuse(file.Name, fault);
            }
        }
        if (index is null) return;
        headers.Remove("adapter_model.safetensors"); // an adapter is no shard of its base
        try
        {
            index.Validate(headers);
        }
        catch (SafeTensorsException fault)
        {
            throw Refuse(Index, fault);
        }
    }

    private static UsageException Refuse(string file, SafeTensorsException fault)
    {
        string tensor = fault.Tensor is null || fault.Message.Contains(fault.Tensor, StringComparison.Ordinal) ? "" : $"tensor '{fault.Tensor}': ";
        return new UsageException($"{fault.FileName ?? file}: {tensor}{fault.Message} (code {fault.Error})");
    }

    private static bool IsWeights(ModelFile file) => file.Name.EndsWith(Weights, StringComparison.Ordinal);
}
