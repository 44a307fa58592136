namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>Every rule, broken in every way that differs. <see cref="RuleTests"/> demands that each error member is here.</summary>
internal static class AllRules
{
    public static IReadOnlyList<Rule> All { get; } =
    [
        .. PrefixRules.All(),
        .. TextRules.All(),
        .. StructureRules.All(),
        .. LimitRules.All(),
        .. NameRules.All(),
        .. SizeRules.All(),
        .. LayoutRules.All(),
        .. WritingRules.All(),
        .. IndexRules.All(),
    ];
}
