using System.Buffers;
using System.Runtime.InteropServices;
using TinyLlm.SafeTensors;

namespace TinyLlm.Engine;

/// <summary>
/// A file of weights in memory that the engine owns, for files that can't be mapped: they come from elsewhere, or are decrypted on their way.
/// Whoever made it fills it, in pieces and in any order, from any thread, and hands it over only when every byte is there. The whole file lies in
/// it from the start of a page, as a mapping would place it: sums of libtorch's kernels depend on alignment in their last bits, and a model gives
/// the same ones however it was loaded.
/// </summary>
public sealed unsafe class WeightBuffer : WeightFile
{
    private const int PageBytes = 4096;

    private readonly long _length;
    private byte* _start;

    /// <summary>Takes the memory; it holds nothing of use yet.</summary>
    /// <param name="header">The file's header, read and validated before.</param>
    public WeightBuffer(SafeTensorsHeader header) : base(header)
    {
        ArgumentNullException.ThrowIfNull(header);
        _length = checked(header.DataOffset + header.DataBytes);
        _start = HugePages.Allocate(checked((nuint)_length), PageBytes);
    }

    /// <summary>Bytes of the file.</summary>
    public long Length => _length;

    /// <summary>A piece of the file to be filled. It must not be used after <see cref="Dispose"/>.</summary>
    public Memory<byte> Slice(long offset, int count)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, _length - count);
        return new Piece(_start + offset, count).Memory;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        byte* start = _start;
        _start = null;
        NativeMemory.AlignedFree(start);
    }

    internal override byte* Pointer(TensorInfo tensor)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        return _start + Header.DataOffset + tensor.Begin;
    }

    /// <summary>Lets a piece of native memory be filled by streams. Owns nothing.</summary>
    private sealed class Piece(byte* start, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => new(start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
