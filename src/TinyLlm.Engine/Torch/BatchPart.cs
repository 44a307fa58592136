using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>One sequence's rows of a pass. Lives in the pass's dispose scope. T rows, L positions that they and those before them take.</summary>
internal sealed class BatchPart
{
    private readonly Dictionary<int, Tensor> _masks = [];

    /// <param name="cache">Where the rows go.</param>
    /// <param name="firstRow">Their place in the batch.</param>
    /// <param name="rows">T.</param>
    /// <param name="windows">Of the layers, each once.</param>
    /// <param name="device">Where masks go.</param>
    public BatchPart(TorchCache cache, int firstRow, int rows, IReadOnlyList<int?> windows, Device device)
    {
        (Cache, FirstRow, Rows, Start) = (cache, firstRow, rows, cache.Length);
        if (rows == 1) return;
        foreach (int? window in windows) _masks.TryAdd(Reach(window), MakeMask(Reach(window), device));
    }

    public TorchCache Cache { get; }

    public int FirstRow { get; }

    /// <summary>T.</summary>
    public int Rows { get; }

    /// <summary>The position of the first row.</summary>
    public int Start { get; }

    /// <summary>L.</summary>
    public int Length => Start + Rows;

    /// <summary>0 where a row may look, minus infinity where a later token stands or one before the window: (T, L). There when T is more than 1.</summary>
    public Tensor Mask(int? window) => _masks[Reach(window)];

    private int Reach(int? window) => Math.Min(window ?? Length, Length);

    private Tensor MakeMask(int reach, Device device)
    {
        Tensor mask = full([Rows, Length], float.NegativeInfinity, device: device).triu(Start + 1);
        return reach < Length ? mask.add_(full([Rows, Length], float.NegativeInfinity, device: device).tril(Start - reach)) : mask;
    }
}
