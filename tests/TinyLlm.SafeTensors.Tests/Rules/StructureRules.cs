using static TinyLlm.SafeTensors.Tests.Rules.RuleBreaker;

namespace TinyLlm.SafeTensors.Tests.Rules;

/// <summary>The header's schema: keys, types, fields, numbers and dtypes.</summary>
internal static class StructureRules
{
    private const string Fields = """
        "dtype":"U8","shape":[1],"data_offsets":[0,1]
        """;

    private const long TooLarge = SafeTensorsLimits.MaxInteger + 1;

    public static IEnumerable<Rule> All()
    {
        yield return new(
            "tensor twice", SafeTensorsError.DuplicateKey, () => Header($$$"""{"ab":{{{{Fields}}}},"ab":{{{{Fields}}}}}"""),
            "'ab'", "twice", "once");
        yield return new(
            "tensor twice, once escaped", SafeTensorsError.DuplicateKey, () => Header($$$"""{"ab":{{{{Fields}}}},"\u0061b":{{{{Fields}}}}}"""),
            "'ab'", "twice");
        yield return new(
            "field twice", SafeTensorsError.DuplicateKey, () => Header("""{"ab":{"dtype":"U8","dtype":"U8"}}"""),
            "'ab'", "'dtype'", "twice");
        yield return new(
            "shape twice", SafeTensorsError.DuplicateKey, () => Header("""{"ab":{"shape":[],"shape":[]}}"""),
            "'ab'", "'shape'", "twice");
        yield return new(
            "offsets twice", SafeTensorsError.DuplicateKey, () => Header("""{"ab":{"data_offsets":[0,1],"data_offsets":[0,1]}}"""),
            "'ab'", "'data_offsets'", "twice");
        yield return new(
            "field twice, once escaped", SafeTensorsError.DuplicateKey, () => Header("""{"ab":{"dtype":"U8","\u0064type":"U8"}}"""),
            "'ab'", "'dtype'", "twice");
        yield return new(
            "metadata twice", SafeTensorsError.DuplicateKey, () => Header("""{"__metadata__":{},"__metadata\u005f_":{}}"""),
            "__metadata__", "twice");
        yield return new(
            "metadata key twice", SafeTensorsError.DuplicateKey, () => Header("""{"__metadata__":{"k":"","\u006b":""}}"""),
            "'k'", "twice");
        (string, string)[] notObjects = [("1", "a number"), ("[]", "an array"), ("null", "null"), ("true", "true or false"), ("\"x\"", "a string")];
        foreach ((string json, string found) in notObjects)
        {
            yield return new(
                $"tensor is {found}", SafeTensorsError.WrongJsonType, () => Header($$$"""{"ab":{{{json}}}}"""),
                "'ab'", found, "an object");
            yield return new(
                $"metadata is {found}", SafeTensorsError.WrongJsonType, () => Header($$$"""{"__metadata__":{{{json}}}}"""),
                "__metadata__", found, "an object");
        }
        foreach ((string json, string found) in new[] { ("1", "a number"), ("[]", "an array"), ("{}", "an object"), ("null", "null") })
        {
            yield return new(
                $"dtype is {found}", SafeTensorsError.WrongJsonType, () => Header($$$"""{"ab":{"dtype":{{{json}}}}}"""),
                "'ab'", "dtype", found, "a string");
            yield return new(
                $"metadata value is {found}", SafeTensorsError.WrongJsonType, () => Header($$$"""{"__metadata__":{"k":{{{json}}}}}"""),
                "'k'", found, "a string");
        }
        foreach ((string json, string found) in new[] { ("\"1\"", "a string"), ("[]", "an array"), ("{}", "an object"), ("null", "null") })
        {
            yield return new(
                $"dimension is {found}", SafeTensorsError.WrongJsonType, () => Tensor("U8", json, "0,1"),
                "'ab'", "dimension", found, "a number");
            yield return new(
                $"offset is {found}", SafeTensorsError.WrongJsonType, () => Tensor("U8", "1", $"0,{json}"),
                "'ab'", "data_offsets", found, "a number");
        }
        foreach (string field in new[] { "shape", "data_offsets" })
            yield return new(
                $"{field} is an object", SafeTensorsError.WrongJsonType, () => Header($$$$"""{"ab":{"{{{{field}}}}":{}}}"""),
                "'ab'", field, "an object", "an array");
        yield return new(
            "nesting in an array", SafeTensorsError.WrongJsonType, () => Header($$$"""{"ab":{{{new string('[', 5_000)}}}"""),
            "'ab'", "an array", "an object");
        yield return new(
            "nesting in a shape", SafeTensorsError.WrongJsonType, () => Header($$$"""{"ab":{"shape":{{{new string('[', 5_000)}}}"""),
            "'ab'", "an array", "a number");
        yield return new(
            "extra field", SafeTensorsError.UnknownField, () => Header($$$"""{"ab":{{{{Fields}}},"strides":[1]}}"""),
            "'ab'", "'strides'", "dtype, shape and data_offsets");
        yield return new("field in another case", SafeTensorsError.UnknownField, () => Header("""{"ab":{"DType":"U8"}}"""), "'ab'", "'DType'");
        yield return new(
            "field of 100,000 letters", SafeTensorsError.UnknownField, () => Header($$$"""{"ab":{"{{{new string('x', 100_000)}}}":1}}"""),
            "'ab'", "xxx");
        (string, string)[] incomplete =
        [
            ("dtype", "\"shape\":[1],\"data_offsets\":[0,1]"),
            ("shape", "\"dtype\":\"U8\",\"data_offsets\":[0,1]"),
            ("data_offsets", "\"dtype\":\"U8\",\"shape\":[1]"),
        ];
        foreach ((string field, string rest) in incomplete)
            yield return new(
                $"{field} missing", SafeTensorsError.MissingField, () => Header($$$"""{"ab":{{{{rest}}}}}"""),
                "'ab'", $"'{field}'", "once");
        foreach (string number in new[] { "-0", "-1", "1.0", "1e0", "1E+2", "0.5", "-1e400" })
        {
            yield return new(
                $"dimension {number}", SafeTensorsError.NotAnInteger, () => Tensor("U8", number, "0,1"),
                "'ab'", "dimension", number, "281474976710655");
            yield return new(
                $"offset {number}", SafeTensorsError.NotAnInteger, () => Tensor("U8", "1", $"0,{number}"),
                "'ab'", "data_offsets", number, "281474976710655");
        }
        foreach (string number in new[] { $"{TooLarge}", "9223372036854775808", "18446744073709551616", new string('9', 5_000) })
        {
            string shown = number[..Math.Min(number.Length, 100)];
            yield return new(
                $"dimension {shown}", SafeTensorsError.IntegerTooLarge, () => Tensor("U8", number, "0,1"),
                "'ab'", "dimension", shown, "281474976710655");
            yield return new(
                $"offset {shown}", SafeTensorsError.IntegerTooLarge, () => Tensor("U8", "1", $"{number},1"),
                "'ab'", "data_offsets", shown, "281474976710655");
        }
        yield return new("one offset", SafeTensorsError.OffsetCount, () => Tensor("U8", "1", "0"), "'ab'", "1 numbers", "2");
        yield return new("no offset", SafeTensorsError.OffsetCount, () => Tensor("U8", "1", ""), "'ab'", "0 numbers", "2");
        yield return new("three offsets", SafeTensorsError.OffsetCount, () => Tensor("U8", "1", "0,1,1"), "'ab'", "more than 2 numbers", "2");
        foreach (string dtype in new[] { "u8", "F128", "", "U8 ", "BFLOAT16", "F8_E4M3FNUZ_AND_MORE" })
            yield return new(
                $"dtype '{dtype}'", SafeTensorsError.UnknownDType, () => Tensor(dtype, "1", "0,1"),
                "'ab'", $"'{dtype[..Math.Min(dtype.Length, 16)]}", "F4, F6_E2M3", "U64");
    }
}
