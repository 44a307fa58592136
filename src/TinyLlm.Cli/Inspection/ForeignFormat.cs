using System.Collections.Frozen;

namespace TinyLlm.Cli.Inspection;

/// <summary>Files of other model formats, told by the ends of their names alone: none of them is ever opened.</summary>
internal static class ForeignFormat
{
    /// <summary>Formats that can run code when they are loaded.</summary>
    private static readonly FrozenSet<string> Unsafe =
        FrozenSet.Create(StringComparer.OrdinalIgnoreCase, ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npz", ".npy", ".h5", ".keras");

    /// <summary>Formats that are merely not read here.</summary>
    private static readonly FrozenSet<string> Unsupported = FrozenSet.Create(StringComparer.OrdinalIgnoreCase, ".gguf", ".ggml", ".onnx", ".msgpack", ".tflite");

    /// <summary>"unsafe" or "unsupported"; null for a file of no model format.</summary>
    public static string? Verdict(string name)
    {
        string extension = Path.GetExtension(name);
        return Unsafe.Contains(extension) ? "unsafe" : Unsupported.Contains(extension) ? "unsupported" : null;
    }

    /// <summary>The file's entry in a report; null for a file of no such format, and for a folder.</summary>
    public static ForeignFile? Look(string folder, string name)
    {
        if (Verdict(name) is not { } verdict) return null;
        string path = Path.Combine(folder, name);
        try
        {
            return Directory.Exists(path) ? null : new ForeignFile(name, verdict, LocalFile.Length(path));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new ForeignFile(name, verdict, 0); // a link that leads nowhere
        }
    }
}
