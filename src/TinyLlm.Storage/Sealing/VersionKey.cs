using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace TinyLlm.Storage;

/// <summary>
/// The data key of one model version together with what it is bound to: every file of the version is encrypted under it, each with a context of
/// owner, model, version and file name, so no file can stand in for another. Travels in leases and nowhere else; prints without its key.
/// <code>
/// using FileEncryptor encryptor = key.BeginFile(name);                             // or ResumeFile(name, header)
/// using FileDecryptor decryptor = key.OpenFile(name, header, storedLength);
/// </code>
/// </summary>
[GenerateSerializer, Immutable, Alias("tinyllm.VersionKey")]
public sealed class VersionKey
{
    [Id(3)] private readonly byte[] dataKey;

    /// <param name="owner">Whose version.</param>
    /// <param name="model">The model's folded name.</param>
    /// <param name="version">The version.</param>
    /// <param name="dataKey">32 secret, random bytes, for this version alone.</param>
    public VersionKey(UserId owner, string model, VersionId version, ReadOnlySpan<byte> dataKey)
    {
        if (dataKey.Length != DerivedKeys.DataKeyBytes) throw new ArgumentException($"a data key has {DerivedKeys.DataKeyBytes} bytes, not {dataKey.Length}", nameof(dataKey));
        Owner = owner;
        Model = model;
        Version = version;
        this.dataKey = dataKey.ToArray();
    }

    [Id(0)] public UserId Owner { get; }

    [Id(1)] public string Model { get; }

    [Id(2)] public VersionId Version { get; }

    /// <summary>Begins one of the version's files, with a fresh salt.</summary>
    public FileEncryptor BeginFile(ModelFileName file) => FileEncryptor.Begin(dataKey, ContextOf(file));

    /// <summary>Goes on with a file whose header is in the store.</summary>
    /// <exception cref="StoreException">Damaged.</exception>
    public FileEncryptor ResumeFile(ModelFileName file, ReadOnlySpan<byte> header) => FileEncryptor.Resume(dataKey, ContextOf(file), header);

    /// <summary>Opens a file to decrypt it.</summary>
    /// <exception cref="StoreException">Damaged.</exception>
    public FileDecryptor OpenFile(ModelFileName file, ReadOnlySpan<byte> header, long encryptedBytes) =>
        FileDecryptor.Open(dataKey, ContextOf(file), header, encryptedBytes);

    /// <summary>Begins a sealed piece of a file that is being uploaded: one that no load will read, and that can't stand in for the file.</summary>
    internal FileEncryptor BeginPiece(ModelFileName file, string piece) => FileEncryptor.Begin(dataKey, ContextOf(file, piece));

    /// <summary>Opens such a piece.</summary>
    /// <exception cref="StoreException">Damaged.</exception>
    internal FileDecryptor OpenPiece(ModelFileName file, string piece, ReadOnlySpan<byte> header, long encryptedBytes) =>
        FileDecryptor.Open(dataKey, ContextOf(file, piece), header, encryptedBytes);

    /// <summary>A digest of all of it, for a lease's authentication code. Tells nothing of the key, which is random.</summary>
    public byte[] Fingerprint()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("tinyllm-version-key-v1"u8);
        hash.AppendData(Tuple(Owner, Model, Version));
        hash.AppendData(dataKey.AsSpan()); // empty in a forged lease that lacks it
        return hash.GetHashAndReset();
    }

    public override string ToString() => $"key of version {Version}";

    /// <summary>Owner, model and version, each with its length before it: what a version's key is bound to.</summary>
    internal static byte[] Tuple(UserId owner, string model, VersionId version) => LengthPrefixed(owner.Value, model, version.Value);

    /// <summary>What one file's ciphertext is bound to.</summary>
    internal byte[] ContextOf(ModelFileName file) => LengthPrefixed(Owner.Value, Model, Version.Value, file.Value);

    private byte[] ContextOf(ModelFileName file, string piece) => LengthPrefixed(Owner.Value, Model, Version.Value, file.Value, piece);

    internal ReadOnlySpan<byte> Reveal() => dataKey;

    /// <summary>UTF-8, each part after its length in four bytes, big-endian: no two lists of parts give the same bytes.</summary>
    private static byte[] LengthPrefixed(params ReadOnlySpan<string> parts)
    {
        using MemoryStream bytes = new();
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (string part in parts)
        {
            byte[] text = Encoding.UTF8.GetBytes(part ?? ""); // a forged lease may lack any of them
            BinaryPrimitives.WriteInt32BigEndian(length, text.Length);
            bytes.Write(length);
            bytes.Write(text);
        }
        return bytes.ToArray();
    }
}
