using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using TinyLlm.Text.Files;
using TinyLlm.Text.Patterns;

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
        if (steps.Count >= TokenizerLimits.MaxComponents)
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"there are more than {TokenizerLimits.MaxComponents} normalizers");
        switch (type)
        {
            case "NFC": steps.Add(new FormNormalizer(NormalizationForm.FormC)); break;
            case "NFD": steps.Add(new FormNormalizer(NormalizationForm.FormD)); break;
            case "NFKC": steps.Add(new FormNormalizer(NormalizationForm.FormKC)); break;
            case "NFKD": steps.Add(new FormNormalizer(NormalizationForm.FormKD)); break;
            case "Nmt": steps.Add(new NmtNormalizer()); break;
            case "Lowercase": steps.Add(new LowercaseNormalizer()); break;
            case "Strip": steps.Add(new StripNormalizer(component.Flag("strip_left", absent: true), component.Flag("strip_right", absent: true))); break;
            case "StripAccents": steps.Add(new StripAccentsNormalizer()); break;
            case "Prepend": steps.Add(new PrependNormalizer(component.RequiredSetting("prepend"))); break;
            case "Replace": steps.Add(ReadReplace(component)); break;
            case "Precompiled": AddCharacterMap(component, steps); break;
            case "BertNormalizer": AddBert(component, steps); break;
            default:
                throw new TokenizerFormatException(TokenizerFormatError.UnsupportedNormalizer,
                    $"normalizer {TokenizerFormatException.Quote(type)} is not supported");
        }
    }

    private static Normalizer ReadReplace(JsonElement component)
    {
        string content = component.RequiredSetting("content");
        if (component.RequiredObject("pattern").OptionalString("String") is not { Length: > 0 }) return new PatternReplaceNormalizer(PatternReader.Read(component), content);
        return new ReplaceNormalizer(component.RequiredObject("pattern").RequiredSetting("String"), content);
    }

    private static void AddCharacterMap(JsonElement component, List<Normalizer> steps)
    {
        // Without a map it changes nothing.
        if (component.OptionalString("precompiled_charsmap") is not { Length: > 0 } base64) return;
        byte[] map = new byte[Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
        if (!Convert.TryFromBase64String(base64, map, out int length))
            throw new TokenizerFormatException(TokenizerFormatError.BadCharacterMap, "'precompiled_charsmap' is not base64");
        steps.Add(new CharacterMap(map.AsSpan(0, length)));
    }

    private static void AddBert(JsonElement component, List<Normalizer> steps)
    {
        bool lowercase = component.Flag("lowercase", absent: true);
        if (component.Flag("clean_text", absent: true)) steps.Add(new CleanTextNormalizer());
        if (component.Flag("handle_chinese_chars", absent: true)) steps.Add(new SpaceChineseNormalizer());
        if (component.Flag("strip_accents", absent: lowercase))
        {
            steps.Add(new FormNormalizer(NormalizationForm.FormD));
            steps.Add(new StripAccentsNormalizer());
        }
        if (lowercase) steps.Add(new LowercaseNormalizer());
    }
}
