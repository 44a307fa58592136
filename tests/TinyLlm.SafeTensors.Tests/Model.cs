using System.Collections.Immutable;
using System.Text;
using CsCheck;

namespace TinyLlm.SafeTensors.Tests;

/// <summary>Any legal content of a file: every dtype, ranks 0 to 8, empty dimensions, names and metadata of any characters.</summary>
internal sealed record Model(IReadOnlyList<Model.Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    private static readonly Gen<string> s_text = Gen.OneOf(
            Gen.Int[0x01, 0x7f],
            Gen.Int[0x80, 0x7ff],
            Gen.Int[0x800, 0xd7ff],
            Gen.Int[0xe000, 0xffff],
            Gen.Int[0x10000, 0x10ffff])
        .Select(value => new Rune(value).ToString())
        .Array[0, 12]
        .Select(string.Concat);

    private static readonly Gen<string> s_name = s_text.Where(
        name => name.Length > 0 && !name.Contains("..", StringComparison.Ordinal) && name != "__metadata__");

    // A dimension that keeps the packed dtypes in whole bytes comes last, unless the shape is a scalar of 8 bits or more.
    private static readonly Gen<Tensor> s_tensor = Gen.Select(
        s_name, Gen.Enum<DType>(), Gen.Int[0, 8], Gen.Int[0, 3].Array[8], Gen.Int[0, 255],
        (name, dtype, rank, dimensions, fill) =>
        {
            if (dtype.BitsPerElement() < 8) rank = Math.Max(rank, 1);
            long[] shape = [.. dimensions.Take(rank).Select(dimension => (long)dimension)];
            if (dtype.BitsPerElement() < 8) shape[^1] *= 4;
            byte[] bytes = new byte[shape.Aggregate(1L, (product, dimension) => product * dimension) * dtype.BitsPerElement() / 8];
            for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)(fill + (i * 31));
            return new Tensor(name, dtype, [.. shape], bytes);
        });

    public static Gen<Model> Generate { get; } = Gen.Select(
        s_tensor.Array[0, 12], Gen.Dictionary(s_text, s_text)[0, 6],
        (tensors, metadata) => new Model([.. tensors.DistinctBy(tensor => tensor.Name)], metadata));

    public IReadOnlyList<TensorSource> Sources =>
        [.. Tensors.Select(tensor => new TensorSource(tensor.Name, tensor.DType, tensor.Shape, tensor.Bytes))];

    internal sealed record Tensor(string Name, DType DType, ImmutableArray<long> Shape, byte[] Bytes);
}
