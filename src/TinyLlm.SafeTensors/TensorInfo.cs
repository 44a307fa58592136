using System.Collections.Immutable;

namespace TinyLlm.SafeTensors;

/// <summary>
/// One tensor of a header: where its bytes lie and how to read them. Knows nothing of the file that holds them.
/// Two are equal when name, dtype, shape and offsets are.
/// </summary>
/// <param name="Name">Any text that is not empty and holds neither NUL nor two dots in a row.</param>
/// <param name="DType">The type of every element.</param>
/// <param name="Shape">The dimensions, outermost first; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from <see cref="SafeTensorsHeader.DataOffset"/>.</param>
/// <param name="End">The byte after the last one, counted likewise.</param>
public sealed record TensorInfo(string Name, DType DType, ImmutableArray<long> Shape, long Begin, long End)
{
    /// <summary>The product of the shape: 1 for a scalar, 0 when a dimension is 0.</summary>
    public long ElementCount => Shape.Contains(0) ? 0 : Shape.Aggregate(1L, static (count, dimension) => checked(count * dimension));

    /// <summary>Bytes of the tensor in the file.</summary>
    public long ByteCount => End - Begin;

    public bool Equals(TensorInfo? other) =>
        other is not null && Begin == other.Begin && End == other.End && DType == other.DType && Name == other.Name
        && Shape.AsSpan().SequenceEqual(other.Shape.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Name, DType, Begin, End);
}
