namespace TinyLlm.Engine;

/// <summary>Where and with what the Torch backend computes.</summary>
public sealed class TorchBackendOptions
{
    /// <summary>"auto" (the first CUDA device, else the CPU), "cpu", "cuda" or "cuda:N".</summary>
    public string Device { get; set; } = "auto";

    /// <summary>
    /// What matrices are kept and multiplied in. F32 by default, which is exact; BF16 takes half the memory, and on the CPU a model of 135 M
    /// parameters decodes and prefills some 1.3 to 1.7 times as fast with it (bench/results/engine.json).
    /// </summary>
    public ComputePrecision Precision { get; set; } = ComputePrecision.F32;

    /// <summary>Bytes of weights and caches; null: 60% of the memory that this process may use, which leaves room for activations and files.</summary>
    public long? BudgetBytes { get; set; }

    /// <summary>CPU threads of one operator; null: one per processor.</summary>
    public int? Threads { get; set; }
}
