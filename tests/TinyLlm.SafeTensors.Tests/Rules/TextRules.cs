using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>The header as text: start, encoding, syntax, padding and surrogates.</summary>
internal static class TextRules
{
    private const string Fields = """
        "dtype":"U8","shape":[1],"data_offsets":[0,1]
        """;

    public static IEnumerable<Rule> All()
    {
        yield return new("empty header", SafeTensorsError.HeaderStart, () => Header(""), "nothing", "{");
        yield return new("leading space", SafeTensorsError.HeaderStart, () => Header(" {}"), "0x20", "{");
        yield return new("byte order mark", SafeTensorsError.HeaderStart, () => Header("\ufeff{}"), "0xef", "{");
        yield return new("array", SafeTensorsError.HeaderStart, () => Header("[]"), "0x5b", "{");
        yield return new(
            "lone continuation byte", SafeTensorsError.InvalidUtf8, () => Header([(byte)'{', (byte)'"', 0x80, (byte)'"']),
            "byte 2 of 4");
        yield return new("overlong slash", SafeTensorsError.InvalidUtf8, () => Header([(byte)'{', (byte)'"', 0xc0, 0xaf, (byte)'"']), "byte 2 of 5");
        yield return new(
            "surrogate as UTF-8", SafeTensorsError.InvalidUtf8, () => Header([(byte)'{', (byte)'"', 0xed, 0xa0, 0x80, (byte)'"']),
            "byte 2 of 6");
        yield return new("not UTF-8 in the padding", SafeTensorsError.InvalidUtf8, () => Header([(byte)'{', (byte)'}', 0xff]), "byte 2 of 3");
        yield return new("cut object", SafeTensorsError.InvalidJson, () => Header("""{"a":"""), "byte 5 of 5");
        yield return new("trailing comma", SafeTensorsError.InvalidJson, () => Header($$$"""{"a":{{{{Fields}}}},}"""), "JSON at byte");
        yield return new("comment", SafeTensorsError.InvalidJson, () => Header("{/**/}"), "JSON at byte 1 of 6");
        yield return new("leading zero", SafeTensorsError.InvalidJson, () => Tensor("U8", "01", "0,1"), "JSON at byte");
        yield return new("control character in a name", SafeTensorsError.InvalidJson, () => Header("{\"a\nb\":1}"), "JSON at byte");
        yield return new("line break after the object", SafeTensorsError.TrailingBytes, () => Header("{}\n"), "0x0a", "0x20");
        yield return new("NUL after the padding", SafeTensorsError.TrailingBytes, () => Header("{}  \0"), "0x00", "0x20");
        yield return new("second object", SafeTensorsError.TrailingBytes, () => Header("{} {}"), "0x7b", "0x20");
        yield return new(
            "high surrogate alone in a name", SafeTensorsError.LoneSurrogate, () => Header("""{"a\ud800":1}"""),
            @"a\ud800", "both halves");
        yield return new("low surrogate alone in a name", SafeTensorsError.LoneSurrogate, () => Header("""{"\udc00":1}"""), "udc00", "both halves");
        yield return new(
            "high surrogate before a plain escape", SafeTensorsError.LoneSurrogate, () => Header("""{"\ud800\u0041":1}"""),
            "ud800", "both halves");
        yield return new("two high surrogates", SafeTensorsError.LoneSurrogate, () => Header("""{"\ud800\ud800":1}"""), "ud800", "both halves");
        yield return new(
            "high surrogate before a real character", SafeTensorsError.LoneSurrogate, () => Header("{\"\\ud83dé\":1}"),
            "ud83d", "both halves");
        yield return new(
            "lone surrogate in metadata", SafeTensorsError.LoneSurrogate, () => Header("""{"__metadata__":{"k":"\ud800"}}"""),
            "ud800", "both halves");
        yield return new(
            "lone surrogate in a field's name", SafeTensorsError.LoneSurrogate, () => Header("""{"a":{"dtyp\ud800":"U8"}}"""),
            "ud800", "both halves");
        yield return new(
            "lone surrogate in a dtype", SafeTensorsError.LoneSurrogate, () => Header("""{"a":{"dtype":"\ud800"}}"""),
            "ud800", "both halves");
    }
}
