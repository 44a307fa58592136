using System.Text;
using System.Text.Json;
using TinyLlm.Text.Files;
using TinyLlm.Text.Patterns;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.PreTokenization;

/// <summary>Reads tokenizer.json's <c>pre_tokenizer</c> as a list of steps. A kind or an option that is not implemented is an error, never a guess.</summary>
internal static class PreTokenizerReader
{
    private static readonly CharacterMatcher WhiteSpace = new(rune => ScriptSpace.Contains(rune));

    public static List<PreTokenizer> Read(JsonElement? component)
    {
        List<PreTokenizer> steps = [];
        if (component is { } root) Read(root, steps);
        return steps;
    }

    /// <summary>Sequences are flattened; the JSON reader bounds their depth.</summary>
    private static void Read(JsonElement component, List<PreTokenizer> steps)
    {
        string type = component.RequiredString("type");
        if (type == "Sequence")
        {
            foreach (JsonElement item in component.RequiredArray("pretokenizers", TokenizerLimits.MaxComponents).EnumerateArray()) Read(item, steps);
            return;
        }
        if (steps.Count >= TokenizerLimits.MaxComponents)
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"there are more than {TokenizerLimits.MaxComponents} pre-tokenizers");
        switch (type)
        {
            case "ByteLevel":
                steps.Add(new ByteLevelPreTokenizer(component.Flag("add_prefix_space", absent: true), component.Flag("use_regex", absent: true)));
                break;
            case "Split":
                steps.Add(new SplitPreTokenizer(PatternReader.Read(component), ReadBehavior(component), component.Flag("invert", absent: false)));
                break;
            case "Digits":
                bool individual = component.Flag("individual_digits", absent: false);
                steps.Add(Split(IsDigit, individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous));
                break;
            case "Metaspace": steps.Add(ReadMetaspace(component)); break;
            case "Whitespace":
                steps.Add(new SplitPreTokenizer(new PatternMatcher(@"\w+|[^\w\s]+"), SplitBehavior.Removed, invert: true));
                break;
            case "WhitespaceSplit": steps.Add(new SplitPreTokenizer(WhiteSpace, SplitBehavior.Removed, invert: false)); break;
            case "Punctuation":
                steps.Add(Split(Punctuation.IsPunctuation, component.Field("behavior") is null ? SplitBehavior.Isolated : ReadBehavior(component)));
                break;
            case "BertPreTokenizer":
                steps.Add(new SplitPreTokenizer(WhiteSpace, SplitBehavior.Removed, invert: false));
                steps.Add(Split(Punctuation.IsPunctuation, SplitBehavior.Isolated));
                break;
            case "CharDelimiterSplit": steps.Add(ReadDelimiter(component)); break;
            default:
                throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPreTokenizer,
                    $"pre-tokenizer {TokenizerFormatException.Quote(type)} is not supported");
        }
    }

    private static SplitPreTokenizer Split(Func<Rune, bool> isDelimiter, SplitBehavior behavior) =>
        new(new CharacterMatcher(isDelimiter), behavior, invert: false);

    /// <summary>ASCII digits, as in @huggingface/tokenizers; the Rust library takes all numerals.</summary>
    private static bool IsDigit(Rune rune) => rune.Value is >= '0' and <= '9';

    private static SplitPreTokenizer ReadDelimiter(JsonElement component)
    {
        string delimiter = component.RequiredString("delimiter");
        if (Rune.DecodeFromUtf16(delimiter, out Rune rune, out int length) == System.Buffers.OperationStatus.Done && length == delimiter.Length)
            return Split(candidate => candidate == rune, SplitBehavior.Removed);
        throw new TokenizerFormatException(TokenizerFormatError.BadField, "'delimiter' must be one character");
    }

    private static MetaspacePreTokenizer ReadMetaspace(JsonElement component)
    {
        string replacement = component.OptionalString("replacement") ?? "\u2581";
        if (replacement.Length != 1 || (component.OptionalString("str_rep") ?? replacement) != replacement)
        {
            throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPreTokenizer,
                "'replacement' of pre-tokenizer 'Metaspace' must be one character of the basic plane, and 'str_rep' the same");
        }
        return new MetaspacePreTokenizer(replacement[0], ReadScheme(component), component.Flag("split", absent: true));
    }

    /// <summary>Shared with the decoder of the same name. Older files have add_prefix_space alone.</summary>
    internal static PrependScheme ReadScheme(JsonElement component)
    {
        bool addPrefixSpace = component.Flag("add_prefix_space", absent: true);
        return component.OptionalString("prepend_scheme") switch
        {
            null => addPrefixSpace ? PrependScheme.Always : PrependScheme.Never,
            "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            { } other => throw new TokenizerFormatException(TokenizerFormatError.BadField,
                $"'prepend_scheme' must be always, first or never, not {TokenizerFormatException.Quote(other)}"),
        };
    }

    private static SplitBehavior ReadBehavior(JsonElement component) => component.RequiredString("behavior") switch
    {
        "Removed" or "removed" => SplitBehavior.Removed,
        "Isolated" or "isolated" => SplitBehavior.Isolated,
        "MergedWithPrevious" or "merged_with_previous" => SplitBehavior.MergedWithPrevious,
        "MergedWithNext" or "merged_with_next" => SplitBehavior.MergedWithNext,
        "Contiguous" or "contiguous" => SplitBehavior.Contiguous,
        { } other => throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPreTokenizer,
            $"split behavior {TokenizerFormatException.Quote(other)} is not supported"),
    };
}
