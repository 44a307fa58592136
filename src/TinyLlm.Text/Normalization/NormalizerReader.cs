using System.Text.Json;
using TinyLlm.Text.Files;

namespace TinyLlm.Text.Normalization;

/// <summary>Reads tokenizer.json's <c>normalizer</c>. A kind or an option that is not implemented is an error, never a guess.</summary>
internal static class NormalizerReader
{
    public static Normalizer Read(JsonElement? component)
    {
        List<Normalizer> steps = [];
        if (component is { } root) Read(root, steps);
        return steps.Count == 1 ? steps[0] : new NormalizerSequence(steps);
    }

    /// <summary>Sequences are flattened; the JSON reader bounds their depth.</summary>
    private static void Read(JsonElement component, List<Normalizer> steps)
    {
        string type = component.RequiredString("type");
        if (type == "Sequence")
        {
            foreach (JsonElement item in component.RequiredArray("normalizers", TokenizerLimits.MaxComponents).EnumerateArray()) Read(item, steps);
            return;
        }
        if (steps.Count == TokenizerLimits.MaxComponents)
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"there are more than {TokenizerLimits.MaxComponents} normalizers");
        steps.Add(type switch
        {
            "Prepend" => new PrependNormalizer(component.RequiredSetting("prepend")),
            "Replace" => ReadReplace(component),
            _ => throw new TokenizerFormatException(TokenizerFormatError.UnsupportedNormalizer,
                $"normalizer {TokenizerFormatException.Quote(type)} is not supported"),
        });
    }

    private static ReplaceNormalizer ReadReplace(JsonElement component)
    {
        JsonElement pattern = component.RequiredObject("pattern");
        if (pattern.Field("String") is null)
            throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPattern, "normalizer 'Replace' is supported with a pattern of kind 'String' only");
        string text = pattern.RequiredSetting("String");
        if (text.Length == 0) throw new TokenizerFormatException(TokenizerFormatError.BadField, "the pattern of normalizer 'Replace' is empty");
        return new ReplaceNormalizer(text, component.RequiredSetting("content"));
    }
}
