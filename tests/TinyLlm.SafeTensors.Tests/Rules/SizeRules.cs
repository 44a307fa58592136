using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>Shape times dtype against offsets.</summary>
internal static class SizeRules
{
    public static IEnumerable<Rule> All()
    {
        yield return new(
            "element count past 64 bits", SafeTensorsError.SizeOverflow, () => Tensor("U8", "281474976710655,281474976710655", "0,1"),
            "'ab'", "[281474976710655, 281474976710655]", "2^64");
        yield return new(
            "bit count past 64 bits", SafeTensorsError.SizeOverflow, () => Tensor("F64", "281474976710655,8192", "0,1"),
            "'ab'", "[281474976710655, 8192]", "F64", "2^64");
        yield return new(
            "overflow before a zero", SafeTensorsError.SizeOverflow, () => Tensor("U8", "281474976710655,281474976710655,0", "0,0"),
            "'ab'", "2^64");
        foreach (DType dtype in Enum.GetValues<DType>())
        {
            string name = dtype.WireName();
            yield return new(
                $"{name} a byte short", SafeTensorsError.SizeMismatch, () => Tensor(name, "8", $"0,{dtype.BitsPerElement() - 1}"),
                "'ab'", name, "[8]", $"{dtype.BitsPerElement() - 1} bytes", $"takes {dtype.BitsPerElement()}");
            yield return new(
                $"{name} a byte long", SafeTensorsError.SizeMismatch, () => Tensor(name, "8", $"0,{dtype.BitsPerElement() + 1}"),
                "'ab'", name, "[8]", $"{dtype.BitsPerElement() + 1} bytes", $"takes {dtype.BitsPerElement()}");
        }
        (string, string, string)[] partial = [("F4", "3", "12"), ("F4", "", "4"), ("F6_E2M3", "2", "12"), ("F6_E3M2", "3,3", "54")];
        foreach ((string dtype, string shape, string bits) in partial)
            yield return new(
                $"{dtype} [{shape}] in whole bytes", SafeTensorsError.PartialByte, () => Tensor(dtype, shape, "0,2"),
                "'ab'", dtype, $"{bits} bits", "multiple of 8");
        yield return new("offsets reversed", SafeTensorsError.OffsetsReversed, () => Tensor("U8", "1", "3,2"), "'ab'", "2", "3");
    }
}
