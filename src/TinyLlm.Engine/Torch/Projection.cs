using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// x W, and a bias where the checkpoint has one. The matrix is the mapped one: transposing makes a view. Takes and gives F32; in BF16 it
/// multiplies in that, summing in F32, and rounds the product.
/// </summary>
internal sealed class Projection : IDisposable
{
    // For few rows W x^T is faster than x W^T in libtorch's F32 on the CPU: at 4 rows models decoded 1.6 (135 M parameters) and 2.4 (15 M) times as
    // fast on the reference machine, at 16 alike. For one row and for many the second is no slower. Nor is it for small matrices: at 4 rows a model of
    // 260 K parameters decoded 1.3 times as fast without, part of which is the question for the shape that it is spared. The border is a choice between
    // the largest matrix of that model, 131 KB, and the smallest of one of 15 M, 332 KB.
    private const int FewestRows = 2, MostRows = 16;
    private const long FewestBytes = 256 << 10;

    private readonly Tensor _matrix, _right; // _right is (in, out)
    private readonly Tensor? _bias;
    private readonly bool _isShort, _isForColumns;

    public Projection(WeightLoader weights, string name, bool hasBias, bool isInputFirst = false)
        : this(weights.Matrix(name), hasBias ? weights.Vector(name + ".bias") : null, isInputFirst)
    {
    }

    /// <summary>Owns the matrix, (out, in) or by choice (in, out), and the bias.</summary>
    public Projection(Tensor matrix, Tensor? bias, bool isInputFirst = false)
    {
        _matrix = matrix;
        _right = isInputFirst ? matrix.alias() : matrix.t();
        _bias = bias;
        _isShort = matrix.dtype == ScalarType.BFloat16;
        _isForColumns = !_isShort && !isInputFirst && matrix.device_type == TorchSharp.DeviceType.CPU && matrix.NumberOfElements * sizeof(float) >= FewestBytes;
    }

    /// <summary>(N, in) to (N, out), which may lie column by column.</summary>
    public Tensor Forward(Tensor x)
    {
        if (!_isShort && !IsForColumns(x)) return _bias is null ? x.mm(_right) : _bias.addmm(x, _right, 1, 1);
        Tensor product = _isShort ? Short(x).mm(_right).to(ScalarType.Float32) : Columns(x);
        return _bias is null ? product : product.add_(_bias);
    }

    /// <summary><paramref name="residual"/> (N, out) plus this of <paramref name="x"/>.</summary>
    public Tensor AddTo(Tensor residual, Tensor x)
    {
        Tensor sum = _isShort ? residual.add(Short(x).mm(_right)) : IsForColumns(x) ? residual.add(Columns(x)) : residual.addmm(x, _right, 1, 1);
        return _bias is null ? sum : sum.add_(_bias);
    }

    public void Dispose()
    {
        _matrix.Dispose();
        _right.Dispose();
        _bias?.Dispose();
    }

    private bool IsForColumns(Tensor x) => _isForColumns && x.shape[0] is >= FewestRows and <= MostRows;

    private Tensor Columns(Tensor x) => _matrix.mm(x.t()).t();

    private static Tensor Short(Tensor x) => x.dtype == ScalarType.BFloat16 ? x : x.to(ScalarType.BFloat16);
}
