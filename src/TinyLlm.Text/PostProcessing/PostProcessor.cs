using System.Collections.Immutable;
using System.Text.Json;
using TinyLlm.Text.Files;

namespace TinyLlm.Text.PostProcessing;

/// <summary>The special tokens that are put round a single text. Pairs of texts are no business of a decoder, so their templates are not read.</summary>
internal sealed record PostProcessor(ImmutableArray<int> Before, ImmutableArray<int> After)
{
    public static PostProcessor None { get; } = new([], []);

    /// <summary>Reads tokenizer.json's <c>post_processor</c>.</summary>
    /// <param name="component">The field's value.</param>
    /// <param name="requireId">Gives the id of a token, or throws when there is no such token.</param>
    public static PostProcessor Read(JsonElement? component, Func<string, int> requireId)
    {
        int budget = TokenizerLimits.MaxComponents;
        return component is { } root ? Read(root, requireId, ref budget) : None;
    }

    private static PostProcessor Read(JsonElement component, Func<string, int> requireId, ref int budget)
    {
        if (budget-- == 0)
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"there are more than {TokenizerLimits.MaxComponents} post-processors");
        string type = component.RequiredString("type");
        switch (type)
        {
            case "TemplateProcessing": return ReadTemplate(component);
            case "ByteLevel": return None; // it changes offsets only
            case "BertProcessing" or "RobertaProcessing": return new([ReadPair(component, "cls", requireId)], [ReadPair(component, "sep", requireId)]);
            case "Sequence":
                PostProcessor all = None;
                foreach (JsonElement item in component.RequiredArray("processors", TokenizerLimits.MaxComponents).EnumerateArray())
                {
                    PostProcessor outer = Read(item, requireId, ref budget);
                    all = new([.. outer.Before, .. all.Before], [.. all.After, .. outer.After]);
                }
                return all;
            default:
                throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPostProcessor,
                    $"post-processor {TokenizerFormatException.Quote(type)} is not supported");
        }
    }

    private static PostProcessor ReadTemplate(JsonElement component)
    {
        JsonElement tokens = component.RequiredObject("special_tokens");
        List<int> before = [], after = [];
        bool sawText = false;
        foreach (JsonElement item in component.RequiredArray("single", TokenizerLimits.MaxComponents).EnumerateArray())
        {
            if (item.Field("SpecialToken") is { } special)
            {
                JsonElement token = tokens.RequiredObject(special.RequiredString("id"));
                foreach (JsonElement id in token.RequiredArray("ids", TokenizerLimits.MaxComponents).EnumerateArray())
                {
                    if (id.ValueKind != JsonValueKind.Number || !id.TryGetInt32(out int value) || value < 0 || value >= TokenizerLimits.MaxVocabulary)
                    {
                        throw new TokenizerFormatException(TokenizerFormatError.BadField,
                            $"'ids' of a special token must be integers from 0 to {TokenizerLimits.MaxVocabulary - 1}");
                    }
                    (sawText ? after : before).Add(value);
                }
            }
            else if (item.RequiredObject("Sequence").RequiredString("id") == "A" && !sawText)
            {
                sawText = true;
            }
            else
            {
                throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPostProcessor, "the template for a single text must have it once, as 'A'");
            }
        }
        if (!sawText) throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPostProcessor, "the template for a single text leaves it out");
        return new([.. before], [.. after]);
    }

    /// <summary>A token with its id, as <c>["[CLS]", 101]</c>; the id counts, and must be the token's.</summary>
    private static int ReadPair(JsonElement component, string name, Func<string, int> requireId)
    {
        JsonElement pair = component.RequiredArray(name, 2);
        if (pair.GetArrayLength() == 2 && pair[1].ValueKind == JsonValueKind.Number && pair[1].TryGetInt32(out int id)
            && requireId(pair[0].AsString(name)) == id) return id;
        throw new TokenizerFormatException(TokenizerFormatError.BadField, $"'{name}' must be a token and its id");
    }
}
