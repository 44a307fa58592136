using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>Names of tensors, read and written.</summary>
internal static class NameRules
{
    private const string Fields = """
        "dtype":"U8","shape":[1],"data_offsets":[0,1]
        """;

    public static IEnumerable<Rule> All()
    {
        yield return new("empty name", SafeTensorsError.EmptyName, () => Header($$$"""{"":{{{{Fields}}}}}"""), "''", "0 characters", "1 or more");
        yield return new("NUL in a name", SafeTensorsError.NameHasNul, () => Header($$$"""{"a\u0000b":{{{{Fields}}}}}"""), @"'a\u{0}b'", "NUL");
        yield return new("parent folder", SafeTensorsError.NameHasDotDot, () => Header($$$"""{"../x":{{{{Fields}}}}}"""), "'../x'", "1 dot in a row");
        yield return new(
            "parent folder, escaped", SafeTensorsError.NameHasDotDot, () => Header($$$"""{"a/\u002e.":{{{{Fields}}}}}"""),
            "'a/..'", "1 dot in a row");
        yield return new("tensor to write without a name", SafeTensorsError.EmptyName, () => Write(U8("", 1)), "''");
        yield return new("tensor to write with NUL", SafeTensorsError.NameHasNul, () => Write(U8("a\0", 1)), @"'a\u{0}'");
        yield return new("tensor to write with two dots", SafeTensorsError.NameHasDotDot, () => Write(U8("a..b", 1)), "'a..b'");
        yield return new("tensor to write named __metadata__", SafeTensorsError.ReservedName, () => Write(U8("__metadata__", 1)), "'__metadata__'");
    }
}
