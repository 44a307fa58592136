using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>Tensors beside each other.</summary>
internal static class LayoutRules
{
    public static IEnumerable<Rule> All()
    {
        yield return new(
            "hole at the start", SafeTensorsError.Hole, () => Header($"{{{Entry("ab", 1, 2)}}}", 2),
            "'ab'", "begins at 1", "begin at 0");
        yield return new(
            "hole between", SafeTensorsError.Hole, () => Header($"{{{Entry("x", 0, 4)},{Entry("ab", 5, 6)}}}", 6),
            "'ab'", "begins at 5", "begin at 4");
        yield return new(
            "empty tensor in a hole", SafeTensorsError.Hole, () => Header($"{{{Entry("x", 0, 4)},{Entry("ab", 5, 5)}}}", 4),
            "'ab'", "begins at 5", "begin at 4");
        yield return new(
            "overlap", SafeTensorsError.Overlap, () => Header($"{{{Entry("x", 0, 4)},{Entry("ab", 3, 7)}}}", 7),
            "'ab'", "begins at 3", "begin at 4");
        yield return new(
            "same bytes twice", SafeTensorsError.Overlap, () => Header($"{{{Entry("aa", 0, 4)},{Entry("ab", 0, 4)}}}", 4),
            "'ab'", "begins at 0", "begin at 4");
        yield return new(
            "empty tensor inside another", SafeTensorsError.Overlap, () => Header($"{{{Entry("x", 0, 4)},{Entry("ab", 2, 2)}}}", 4),
            "'ab'", "begins at 2", "begin at 4");
        yield return new(
            "data cut by a byte", SafeTensorsError.DataPastEnd, () => Header($"{{{Entry("ab", 0, 4)}}}", 3),
            "'ab'", "ends at 4", "end at 3");
        yield return new(
            "offsets at the largest integer", SafeTensorsError.DataPastEnd, () => Tensor("U8", "281474976710655", "0,281474976710655"),
            "'ab'", "281474976710655", "end at 1");
        yield return new(
            "a byte too many", SafeTensorsError.UnclaimedBytes, () => Header($"{{{Entry("ab", 0, 4)}}}", 5),
            "end at 4", "end at 5", "1 bytes");
        yield return new("data without tensors", SafeTensorsError.UnclaimedBytes, () => Header("{}", 1), "end at 0", "end at 1");
    }
}
