using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace TinyLlm.SafeTensors;

/// <summary>
/// A header that has passed every rule: its tensors cover the file's data exactly, without holes and overlaps. Immutable.
/// Knows the file's length, and nothing of the data.
/// </summary>
public sealed class SafeTensorsHeader
{
    private const int FirstReadBytes = 64 << 10;

    private readonly Dictionary<string, TensorInfo> _byName;

    private SafeTensorsHeader(HeaderParser parsed, ImmutableArray<TensorInfo> tensors, long dataOffset)
    {
        _byName = parsed.Tensors;
        Metadata = parsed.Metadata;
        Tensors = tensors;
        DataOffset = dataOffset;
    }

    /// <summary>The tensors in the order of their offsets.</summary>
    public ImmutableArray<TensorInfo> Tensors { get; }

    /// <summary>What <c>__metadata__</c> says; empty when there is none.</summary>
    public FrozenDictionary<string, string> Metadata { get; }

    /// <summary>Where the data begin in the file; <see cref="TensorInfo.Begin"/> counts from here.</summary>
    public long DataOffset { get; }

    /// <summary>Bytes of all tensors together.</summary>
    public long DataBytes => Tensors.IsEmpty ? 0 : Tensors[^1].End;

    /// <summary>
    /// The header's length in bytes from the file's first 8.
    /// </summary>
    /// <param name="fileStart">The start of the file; only the first 8 bytes are read.</param>
    /// <param name="fileLength">Bytes of the whole file.</param>
    /// <exception cref="SafeTensorsException">FileTooShort, HeaderTooLong or HeaderPastEnd.</exception>
    public static int ParsePrefix(ReadOnlySpan<byte> fileStart, long fileLength)
    {
        if (fileLength < SafeTensorsLimits.PrefixBytes || fileStart.Length < SafeTensorsLimits.PrefixBytes)
        {
            throw Refusal.Of(
                SafeTensorsError.FileTooShort,
                $"the file has {Math.Min(fileLength, fileStart.Length)} bytes, and must have {SafeTensorsLimits.PrefixBytes} or more: "
                + "it is empty or was cut short, get it again");
        }
        ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(fileStart);
        CheckLength(headerBytes, fileLength);
        return (int)headerBytes;
    }

    /// <summary>Checks a header by every rule but the length prefix.</summary>
    /// <param name="headerJson">The header with its padding, without the length prefix.</param>
    /// <param name="fileLength">Bytes of the whole file: prefix, header and data.</param>
    /// <exception cref="SafeTensorsException">Any rule broken; nothing else is thrown, whatever the bytes.</exception>
    public static SafeTensorsHeader Parse(ReadOnlySpan<byte> headerJson, long fileLength)
    {
        CheckLength((ulong)headerJson.Length, fileLength);
        HeaderParser parser = new(headerJson);
        parser.Parse();

        TensorInfo[] tensors = [.. parser.Tensors.Values];
        TensorLayout.Sort(tensors);
        long dataOffset = SafeTensorsLimits.PrefixBytes + headerJson.Length;
        TensorLayout.Check(tensors, fileLength - dataOffset);
        return new SafeTensorsHeader(parser, ImmutableCollectionsMarshal.AsImmutableArray(tensors), dataOffset);
    }

    /// <summary>
    /// Reads prefix and header, and not a byte more, from a stream that stands at the file's start. The buffer grows with the bytes that
    /// arrive, not with the length that they announce, and never past that length.
    /// </summary>
    /// <param name="stream">Seekable or not; short reads are fine.</param>
    /// <param name="fileLength">Bytes of the whole file, which the stream need not hold.</param>
    /// <param name="cancellationToken">Ends the read.</param>
    /// <exception cref="SafeTensorsException">Any rule broken, or StreamTooShort. What the stream itself throws passes through.</exception>
    public static async Task<SafeTensorsHeader> ReadAsync(Stream stream, long fileLength, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        byte[] buffer = new byte[SafeTensorsLimits.PrefixBytes];
        int prefixBytes = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        if (prefixBytes < buffer.Length && prefixBytes < fileLength) throw StreamTooShort(prefixBytes, buffer.Length, "length prefix");
        int headerBytes = ParsePrefix(buffer.AsSpan(0, prefixBytes), fileLength);

        buffer = new byte[Math.Min(headerBytes, FirstReadBytes)];
        int filled = 0;
        while (filled < headerBytes)
        {
            if (filled == buffer.Length) Array.Resize(ref buffer, (int)Math.Min(headerBytes, 2L * filled));
            int read = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            if (read == 0) throw StreamTooShort(filled, headerBytes, "header");
            filled += read;
        }
        return Parse(buffer.AsSpan(0, headerBytes), fileLength);
    }

    /// <summary>The tensor of that name.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor) => _byName.TryGetValue(name, out tensor);

    private static void CheckLength(ulong headerBytes, long fileLength)
    {
        if (headerBytes > SafeTensorsLimits.MaxHeaderBytes)
        {
            throw Refusal.Of(
                SafeTensorsError.HeaderTooLong,
                $"the header has {headerBytes} bytes, and may have {SafeTensorsLimits.MaxHeaderBytes}: "
                + "this is no SafeTensors file, or it needs shards");
        }
        if (SafeTensorsLimits.PrefixBytes + (long)headerBytes > fileLength)
        {
            throw Refusal.Of(
                SafeTensorsError.HeaderPastEnd,
                $"the header has {headerBytes} bytes after the 8 of its length, and the file ends at {fileLength}: it was cut short, get it again");
        }
    }

    private static SafeTensorsException StreamTooShort(int found, int announced, string part) => Refusal.Of(
        SafeTensorsError.StreamTooShort, $"the stream ended after {found} of the {announced} bytes of the {part}: send the whole file");
}
