using TinyLlm.SafeTensors.Tests.Fuzzing;
using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>The file as a whole, its length prefix, and streams that end early.</summary>
internal static class PrefixRules
{
    public static IEnumerable<Rule> All()
    {
        yield return new("file of 0 bytes", SafeTensorsError.FileTooShort, () => Read([]), "0 bytes", "8");
        yield return new("file of 7 bytes", SafeTensorsError.FileTooShort, () => Read(new byte[7]), "7 bytes", "8");
        yield return new(
            "header of 100,000,001 bytes", SafeTensorsError.HeaderTooLong, () => ReadPrefix(100_000_001, 200_000_000),
            "100000001", "100000000");
        yield return new(
            "header of 2^64 - 1 bytes", SafeTensorsError.HeaderTooLong, () => ReadPrefix(ulong.MaxValue, 200),
            "18446744073709551615", "100000000");
        yield return new(
            "header of 2^64 - 8 bytes", SafeTensorsError.HeaderTooLong, () => ReadPrefix(ulong.MaxValue - 7, 200),
            "18446744073709551608");
        yield return new("header one byte past the end", SafeTensorsError.HeaderPastEnd, () => ReadPrefix(93, 100), "93", "100");
        yield return new(
            "header given longer than its file", SafeTensorsError.HeaderPastEnd, () => SafeTensorsHeader.Parse("{}"u8, 9),
            "2 bytes", "9");
        yield return new("stream ends in the prefix", SafeTensorsError.StreamTooShort, () => ReadStream(new byte[5], 100), "5 of the 8");
        yield return new(
            "stream ends in the header", SafeTensorsError.StreamTooShort, () => ReadStream(FileText.File("{}", 0)[..9], 10),
            "1 of the 2");
    }
}
