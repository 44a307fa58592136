using TinyLlm.SafeTensors.Tests.Fuzzing;
using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>The bounds on amounts.</summary>
internal static class LimitRules
{
    public static IEnumerable<Rule> All()
    {
        yield return new("65,537 tensors", SafeTensorsError.TooManyTensors, () => Header(FileText.ManyTensors(65_537, 1), 65_537), "65536");
        yield return new(
            "8,193 metadata entries", SafeTensorsError.TooManyMetadataEntries, () => Header(FileText.ManyMetadataEntries(8_193, 1)),
            "8192");
        yield return new("rank 9", SafeTensorsError.RankTooHigh, () => Tensor("U8", "1,1,1,1,1,1,1,1,1", "0,1"), "'ab'", "more than 8 dimensions");
        yield return new(
            "name of 16 MiB and a byte", SafeTensorsError.TextTooLong, () => Header(FileText.ManyTensors(1, (16 << 20) + 1), 1),
            "16777217", "16777216");
        yield return new(
            "metadata value of 16 MiB", SafeTensorsError.TextTooLong, () => Header(FileText.ManyMetadataEntries(1, 16 << 20)),
            "16777217", "16777216");
        yield return new("escapes of 16 MiB and a byte", SafeTensorsError.TextTooLong, () => Header(Escapes((16 << 20) + 1)), "16777217", "16777216");
    }
}
