namespace TinyLlm.SafeTensors;

/// <summary>How many bytes a shape of a dtype takes, with every overflow refused.</summary>
internal static class TensorSize
{
    /// <summary>
    /// The byte count of a tensor. The product is formed from left to right in 64 unsigned bits like the reference's, so a
    /// zero after dimensions whose product already overflows does not save the shape.
    /// </summary>
    /// <exception cref="SafeTensorsException"><see cref="SafeTensorsError.SizeOverflow"/> or <see cref="SafeTensorsError.PartialByte"/>.</exception>
    public static long Bytes(string name, DType dtype, ReadOnlySpan<long> shape)
    {
        ulong bits = (ulong)dtype.BitsPerElement();
        ulong count = 1;
        foreach (long dimension in shape)
        {
            UInt128 product = (UInt128)count * (ulong)dimension;
            if (product > ulong.MaxValue) throw Overflow(name, dtype, shape);
            count = (ulong)product;
        }

        UInt128 totalBits = (UInt128)count * bits;
        if (totalBits > ulong.MaxValue) throw Overflow(name, dtype, shape);
        if (totalBits % 8 != 0)
        {
            throw Refusal.OfTensor(
                name, SafeTensorsError.PartialByte,
                $"{count} elements of {dtype.WireName()} are {totalBits} bits, which must be a multiple of 8: pad the last dimension");
        }
        return (long)(totalBits / 8);
    }

    private static SafeTensorsException Overflow(string name, DType dtype, ReadOnlySpan<long> shape) => Refusal.OfTensor(
        name, SafeTensorsError.SizeOverflow,
        $"shape [{string.Join(", ", shape.ToArray())}] of {dtype.WireName()} has more than 2^64 - 1 bits: correct the shape");
}
