using TorchSharp;
using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>One pass's rotation. Lives in the pass's dispose scope. N rows, H heads, D head size.</summary>
internal sealed class RotaryTables
{
    private static readonly Scalar s_one = 1f;

    private readonly Tensor _queryCosines, _querySines, _keyCosines, _keySines; // (N, 1, D)
    private readonly Tensor? _partners; // (D), int64
    private readonly long _half;

    public RotaryTables(Tensor tables, long half, Tensor? partners)
    {
        (_queryCosines, _querySines, _keyCosines, _keySines) = (tables.select(0, 0), tables.select(0, 1), tables.select(0, 2), tables.select(0, 3));
        (_half, _partners) = (half, partners);
    }

    /// <summary>(N, H, D), turned and scaled.</summary>
    public Tensor Queries(Tensor queries) => Rotate(queries, _queryCosines, _querySines);

    /// <summary>(N, K, D), turned.</summary>
    public Tensor Keys(Tensor keys) => Rotate(keys, _keyCosines, _keySines);

    private Tensor Rotate(Tensor x, Tensor cosines, Tensor sines)
    {
        Tensor partners = _partners is null ? x.roll(_half, -1) : x.index_select(-1, _partners);
        return x.mul(cosines).addcmul_(partners, sines, s_one);
    }
}
