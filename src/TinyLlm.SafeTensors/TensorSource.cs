using System.Collections.Immutable;

namespace TinyLlm.SafeTensors;

/// <summary>A tensor to write, and where its bytes come from.</summary>
public sealed class TensorSource
{
    private readonly Action<Stream> _write;

    /// <summary>A tensor whose little-endian bytes lie in memory.</summary>
    public TensorSource(string name, DType dtype, ImmutableArray<long> shape, ReadOnlyMemory<byte> bytes)
        : this(name, dtype, shape, stream => stream.Write(bytes.Span))
    {
        MemoryBytes = bytes.Length;
    }

    /// <summary>
    /// A tensor of any size whose bytes <paramref name="write"/> writes, in one or more pieces: all of them and no more.
    /// </summary>
    public TensorSource(string name, DType dtype, ImmutableArray<long> shape, Action<Stream> write)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(write);
        if (shape.IsDefault) throw new ArgumentException("must be an array, empty for a scalar", nameof(shape));
        if (shape.Any(static dimension => dimension < 0)) throw new ArgumentException("must hold no negative dimension", nameof(shape));
        Name = name;
        DType = dtype;
        Shape = shape;
        _write = write;
    }

    public string Name { get; }

    public DType DType { get; }

    /// <summary>The dimensions, outermost first; empty for a scalar.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Bytes at hand, when they are in memory.</summary>
    internal int? MemoryBytes { get; }

    internal void WriteTo(Stream stream) => _write(stream);
}
