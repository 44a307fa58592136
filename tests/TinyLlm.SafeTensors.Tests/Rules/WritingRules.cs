using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>What the writer refuses on top of what the reader does.</summary>
internal static class WritingRules
{
    private const long TooLarge = SafeTensorsLimits.MaxInteger + 1;

    public static IEnumerable<Rule> All()
    {
        yield return new("the same name twice", SafeTensorsError.DuplicateKey, () => Write(U8("ab", 1), U8("ab", 1)), "'ab'", "twice");
        yield return new(
            "source shorter than its shape", SafeTensorsError.SizeMismatch, () => Write(new TensorSource("ab", DType.F32, [2], new byte[7])),
            "'ab'", "7 bytes", "[2]", "takes 8");
        yield return new(
            "source that writes too little", SafeTensorsError.SizeMismatch,
            () => Write(new TensorSource("ab", DType.U8, [3], stream => stream.Write([1, 2]))), "'ab'", "2 bytes", "take 3");
        yield return new(
            "source that writes too much", SafeTensorsError.SizeMismatch, () => Write(new TensorSource("ab", DType.U8, [3], WriteFour)),
            "'ab'", "4 bytes", "take 3");
        yield return new(
            "half a byte to write", SafeTensorsError.PartialByte, () => Write(new TensorSource("ab", DType.F4, [3], new byte[2])),
            "'ab'", "12 bits");
        yield return new(
            "a shape to write that overflows", SafeTensorsError.SizeOverflow,
            () => Write(new TensorSource("ab", DType.F4, [long.MaxValue, 3], new byte[2])), "'ab'", "2^64");
        yield return new(
            "a dimension to write of 2^48", SafeTensorsError.IntegerTooLarge,
            () => Write(new TensorSource("ab", DType.U8, [TooLarge, 0], Array.Empty<byte>())), "'ab'", $"{TooLarge}", "281474976710655");
        yield return new(
            "tensors to write past 2^48", SafeTensorsError.IntegerTooLarge,
            () => Write(new TensorSource("ab", DType.U8, [TooLarge], static _ => { })), "'ab'", $"{TooLarge}", "281474976710655");
        yield return new(
            "rank 9 to write", SafeTensorsError.RankTooHigh, () => Write(new TensorSource("ab", DType.U8, [1, 1, 1, 1, 1, 1, 1, 1, 1], new byte[1])),
            "'ab'", "8");
        yield return new(
            "lone surrogate to write", SafeTensorsError.LoneSurrogate, () => Write(U8("ab\ud800", 1)),
            "'ab\ufffd'", "at 2");
        yield return new(
            "lone surrogate to write in metadata", SafeTensorsError.LoneSurrogate, () => Write(new Dictionary<string, string> { ["k"] = "\udc00" }),
            "'k'", "at 0");
        yield return new(
            "65,537 tensors to write", SafeTensorsError.TooManyTensors, () => Write([.. Enumerable.Range(0, 65_537).Select(i => U8($"{i}", 0))]),
            "65536");
        yield return new(
            "16 MiB and a byte of text to write", SafeTensorsError.TextTooLong,
            () => Write(new Dictionary<string, string> { ["k"] = new('v', 16 << 20) }), "16777217", "16777216");
    }
}
