using System.Runtime.InteropServices;
using TinyLlm.SafeTensors;
using TorchSharp;
using static TorchSharp.torch;

namespace TinyLlm.Engine;

/// <summary>
/// Tensors over a checkpoint's bytes in memory. What is of the wanted type and on the CPU is not copied; anything else is converted, or moved, once.
/// Whoever uses the tensors holds the checkpoint.
/// </summary>
internal static unsafe partial class MappedTensors
{
    // libtorch calls it when the last view of a tensor over foreign memory is gone. The memory is the checkpoint's, so there is nothing to free.
    private static readonly delegate* unmanaged[Cdecl]<nint, void> s_keep = &Keep;

    /// <summary>The named weight as <paramref name="wanted"/>, on <paramref name="device"/>.</summary>
    public static Tensor Load(Checkpoint checkpoint, string name, Device device, ScalarType wanted)
    {
        TensorInfo info = checkpoint.Info(name);
        byte* bytes = checkpoint.Pointer(name);
        ScalarType type = info.DType switch
        {
            DType.F32 => ScalarType.Float32,
            DType.F16 => ScalarType.Float16,
            DType.BF16 => ScalarType.BFloat16,
            _ => throw new InvalidOperationException($"tensor '{name}' is {info.DType}: the checkpoint was not validated"),
        };

        // The format does not align tensors; libtorch's kernels take F32 and F16 at their own alignment only.
        if ((nint)bytes % type.ElementSize() != 0) return Copy(info, bytes, type, device, wanted);
        Tensor mapped = Over(bytes, info, type);
        if (type == wanted && device.type == DeviceType.CPU)
        {
            checkpoint.IsUsedInPlace = true;
            return mapped;
        }
        using (mapped) return mapped.to(wanted, device, copy: true);
    }

    private static Tensor Over(byte* bytes, TensorInfo info, ScalarType type)
    {
        fixed (long* sizes = info.Shape.AsSpan())
        {
            nint handle = THSTensor_new(
                (nint)bytes, (nint)s_keep, (nint)sizes, info.Shape.Length, (sbyte)type, (sbyte)type, (int)DeviceType.CPU, -1, requiresGrad: 0);
            if (handle == 0) CheckForErrors();
            return Tensor.UnsafeCreateTensor(handle);
        }
    }

    private static Tensor Copy(TensorInfo info, byte* bytes, ScalarType type, Device device, ScalarType wanted)
    {
        using Tensor aligned = empty(info.Shape.AsSpan().ToArray(), type);
        nuint count = checked((nuint)info.ByteCount);
        fixed (byte* target = &MemoryMarshal.GetReference(aligned.bytes)) NativeMemory.Copy(bytes, target, count);
        return aligned.to(wanted, device, copy: true);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    private static void Keep(nint memory)
    {
    }

    /// <summary>Exported by LibTorchSharp and not wrapped for memory that managed code does not own.</summary>
    [LibraryImport("LibTorchSharp")]
    private static partial nint THSTensor_new(
        nint data, nint deleter, nint sizes, int dimensions, sbyte type, sbyte dtype, int deviceType, int deviceIndex, byte requiresGrad);
}
