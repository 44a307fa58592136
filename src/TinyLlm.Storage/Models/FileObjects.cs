namespace TinyLlm.Storage;

/// <summary>The names of the objects that one file of a version consists of. None but <see cref="Plain"/> is the name of a model's file.</summary>
/// <param name="Plain">The file as it is, where the version is not encrypted.</param>
internal readonly record struct FileObjects(string Plain)
{
    private const string SealedSuffix = ".sealed";
    private const string TailSuffix = ".tail";
    private const string PartSuffix = ".part";

    /// <summary>The file in the layout of <see cref="EncryptedLayout"/>; while it is uploaded, as many chunks of it as are full.</summary>
    public string Sealed => Plain + SealedSuffix;

    /// <summary>While it is uploaded: what follows the last full chunk (<see cref="UploadTail"/>).</summary>
    public string Tail => Plain + TailSuffix;

    /// <summary>While a body arrives whose digest must be known before it counts: that body.</summary>
    public string Part => Plain + PartSuffix;

    /// <summary>Whether an object is needed no more once its version is published.</summary>
    public static bool IsForUploadOnly(string objectName) =>
        objectName.EndsWith(TailSuffix, StringComparison.Ordinal) || objectName.EndsWith(PartSuffix, StringComparison.Ordinal);

    /// <summary>The file that an object below a version's folder belongs to.</summary>
    public static bool TryGetFile(string objectName, out ModelFileName file)
    {
        string name = objectName[(objectName.LastIndexOf('/') + 1)..];
        string? suffix = Array.Find([SealedSuffix, TailSuffix], suffix => name.EndsWith(suffix, StringComparison.Ordinal));
        return ModelFileName.TryParse(suffix is null ? name : name[..^suffix.Length], out file);
    }
}
