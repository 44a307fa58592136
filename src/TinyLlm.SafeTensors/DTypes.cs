namespace TinyLlm.SafeTensors;

/// <summary>Width and wire name of each <see cref="DType"/>.</summary>
public static class DTypes
{
    /// <summary>Bits of one element; 4 and 6 for the packed types, whose tensors still fill whole bytes.</summary>
    public static int BitsPerElement(this DType dtype) => dtype switch
    {
        DType.F4 => 4,
        DType.F6E2M3 or DType.F6E3M2 => 6,
        DType.Bool or DType.U8 or DType.I8 => 8,
        DType.F8E5M2 or DType.F8E4M3 or DType.F8E8M0 or DType.F8E4M3Fnuz or DType.F8E5M2Fnuz => 8,
        DType.I16 or DType.U16 or DType.F16 or DType.BF16 => 16,
        DType.I32 or DType.U32 or DType.F32 => 32,
        DType.C64 or DType.F64 or DType.I64 or DType.U64 => 64,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a SafeTensors dtype"),
    };

    /// <summary>The name that stands in a file's header, in exactly this case.</summary>
    public static string WireName(this DType dtype) => dtype switch
    {
        DType.F4 => "F4",
        DType.F6E2M3 => "F6_E2M3",
        DType.F6E3M2 => "F6_E3M2",
        DType.Bool => "BOOL",
        DType.U8 => "U8",
        DType.I8 => "I8",
        DType.F8E5M2 => "F8_E5M2",
        DType.F8E4M3 => "F8_E4M3",
        DType.F8E8M0 => "F8_E8M0",
        DType.F8E4M3Fnuz => "F8_E4M3FNUZ",
        DType.F8E5M2Fnuz => "F8_E5M2FNUZ",
        DType.I16 => "I16",
        DType.U16 => "U16",
        DType.F16 => "F16",
        DType.BF16 => "BF16",
        DType.I32 => "I32",
        DType.U32 => "U32",
        DType.F32 => "F32",
        DType.C64 => "C64",
        DType.F64 => "F64",
        DType.I64 => "I64",
        DType.U64 => "U64",
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a SafeTensors dtype"),
    };

    /// <summary>The dtype of a wire name; null for a name that is none, a name in another case included.</summary>
    public static DType? FromWireName(ReadOnlySpan<char> wireName) => wireName switch
    {
        "F4" => DType.F4,
        "F6_E2M3" => DType.F6E2M3,
        "F6_E3M2" => DType.F6E3M2,
        "BOOL" => DType.Bool,
        "U8" => DType.U8,
        "I8" => DType.I8,
        "F8_E5M2" => DType.F8E5M2,
        "F8_E4M3" => DType.F8E4M3,
        "F8_E8M0" => DType.F8E8M0,
        "F8_E4M3FNUZ" => DType.F8E4M3Fnuz,
        "F8_E5M2FNUZ" => DType.F8E5M2Fnuz,
        "I16" => DType.I16,
        "U16" => DType.U16,
        "F16" => DType.F16,
        "BF16" => DType.BF16,
        "I32" => DType.I32,
        "U32" => DType.U32,
        "F32" => DType.F32,
        "C64" => DType.C64,
        "F64" => DType.F64,
        "I64" => DType.I64,
        "U64" => DType.U64,
        _ => null,
    };
}
