using System.Collections.Immutable;

namespace TinyLlm.Cli.Inspection;

/// <summary>One folder that holds a model, or files that look like one.</summary>
internal sealed record ScannedFolder
{
    /// <summary>Its path below the folder that was scanned; "." for that one.</summary>
    public required string Path { get; init; }

    /// <summary>What it holds: safetensors, and the ends of other formats' names without their dot.</summary>
    public required ImmutableArray<string> Formats { get; init; }

    /// <summary>Bytes of its SafeTensors files.</summary>
    public required long Bytes { get; init; }

    public required long Parameters { get; init; }

    public required int Tensors { get; init; }

    /// <summary>Whether it has SafeTensors files, and all of them are valid.</summary>
    public required bool Valid { get; init; }

    public required ImmutableArray<InspectionFault> Faults { get; init; }

    /// <summary>Files of formats that are not used.</summary>
    public required ImmutableArray<ForeignFile> Foreign { get; init; }

    /// <summary>Every folder below <paramref name="root"/> with a model in it, by path. Links to folders are not followed.</summary>
    public static async Task<ImmutableArray<ScannedFolder>> FindAsync(string root, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(root)) throw new UsageException($"'{root}' is not a folder: name one that has models below it, or use 'tinyllm inspect' for a file");
        EnumerationOptions below = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        ImmutableArray<ScannedFolder>.Builder found = ImmutableArray.CreateBuilder<ScannedFolder>();
        foreach (string folder in Directory.EnumerateDirectories(root, "*", below).Prepend(root).Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await LookAtAsync(root, folder, cancellationToken) is { } model) found.Add(model);
        }
        return found.ToImmutable();
    }

    private static async Task<ScannedFolder?> LookAtAsync(string root, string folder, CancellationToken cancellationToken)
    {
        ModelInspection inspection = await ModelInspection.OfAsync(folder, cancellationToken);
        if (inspection.IsNoModel) return null;
        IEnumerable<string> foreignFormats = inspection.Foreign.Select(file => System.IO.Path.GetExtension(file.Name)[1..].ToLowerInvariant()).Distinct();
        return new ScannedFolder
        {
            Path = System.IO.Path.GetRelativePath(root, folder),
            Formats = [.. inspection.HasWeights ? ["safetensors"] : Array.Empty<string>(), .. foreignFormats],
            Bytes = inspection.Bytes,
            Parameters = inspection.Files.Sum(file => file.Parameters),
            Tensors = inspection.Files.Sum(file => file.Tensors),
            Valid = inspection.Valid,
            Faults = inspection.Faults,
            Foreign = inspection.Foreign,
        };
    }
}
