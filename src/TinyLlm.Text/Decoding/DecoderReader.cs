using System.Collections.Immutable;
using System.Text.Json;
using TinyLlm.Text.Files;
using TinyLlm.Text.PreTokenization;

namespace TinyLlm.Text.Decoding;

/// <summary>
/// Reads tokenizer.json's <c>decoder</c> as a list of stage makers, first stage first. A kind or an option that is not implemented is an error, never a guess.
/// </summary>
internal sealed class DecoderReader
{
    private readonly ImmutableArray<Func<DecodeStage, DecodeStage>>.Builder makers = ImmutableArray.CreateBuilder<Func<DecodeStage, DecodeStage>>();
    private bool fused;

    public static ImmutableArray<Func<DecodeStage, DecodeStage>> Read(JsonElement? component)
    {
        DecoderReader reader = new();
        if (component is { } root) reader.Add(root);
        else reader.makers.Add(next => new JoinStage(next));
        return reader.makers.ToImmutable();
    }

    private void Add(JsonElement component)
    {
        string type = component.RequiredString("type");
        if (type == "Sequence")
        {
            foreach (JsonElement item in component.RequiredArray("decoders", TokenizerLimits.MaxComponents).EnumerateArray()) Add(item);
            return;
        }
        if (makers.Count == TokenizerLimits.MaxComponents)
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"there are more than {TokenizerLimits.MaxComponents} decoders");
        switch (type)
        {
            case "Replace": AddReplace(component); break;
            case "Fuse": fused = true; break; // stages push parts of one token from here on
            case "Strip": AddStrip(component); break;
            case "ByteFallback" when !fused: makers.Add(next => new ByteFallbackStage(next)); break;
            case "ByteLevel" when !fused:
                makers.Add(next => new ByteLevelStage(next));
                fused = true; // bytes of a character may be in two tokens, so it makes one text of them
                break;
            case "Metaspace" when !fused: AddMetaspace(component); break;
            case "WordPiece" when !fused: AddWordPiece(component); break;
            case "BPEDecoder" when !fused: AddWordEnd(component); break;
            default:
                throw new TokenizerFormatException(TokenizerFormatError.UnsupportedDecoder,
                    $"decoder {TokenizerFormatException.Quote(type)} is not supported{(fused ? " after 'Fuse'" : "")}");
        }
    }

    private void AddReplace(JsonElement component)
    {
        JsonElement pattern = component.RequiredObject("pattern");
        if (pattern.Field("String") is null)
            throw new TokenizerFormatException(TokenizerFormatError.UnsupportedPattern, "decoder 'Replace' is supported with a pattern of kind 'String' only");
        string text = pattern.RequiredSetting("String");
        string content = component.RequiredSetting("content");
        if (text.Length == 0) throw new TokenizerFormatException(TokenizerFormatError.BadField, "the pattern of decoder 'Replace' is empty");
        if (fused && text.Length > 1)
            throw new TokenizerFormatException(TokenizerFormatError.UnsupportedDecoder, "decoder 'Replace' after 'Fuse' is supported for one character only");
        makers.Add(next => new ReplaceStage(next, text, content));
    }

    private void AddStrip(JsonElement component)
    {
        string content = component.RequiredString("content");
        if (content.Length != 1)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, "'content' of decoder 'Strip' must be one character of the basic plane");
        int start = component.RequiredInteger("start", 0, TokenizerLimits.MaxSettingChars);
        int stop = component.RequiredInteger("stop", 0, TokenizerLimits.MaxSettingChars);
        bool afterFuse = fused;
        makers.Add(next => afterFuse ? new FusedStripStage(next, content[0], start, stop) : new StripStage(next, content[0], start, stop));
    }

    private void AddMetaspace(JsonElement component)
    {
        string replacement = component.OptionalString("replacement") ?? "\u2581";
        if (replacement.Length != 1)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, "'replacement' of decoder 'Metaspace' must be one character of the basic plane");
        bool dropFirst = PreTokenizerReader.ReadScheme(component) != PrependScheme.Never;
        makers.Add(next => new MetaspaceStage(next, replacement[0], dropFirst));
    }

    private void AddWordPiece(JsonElement component)
    {
        string prefix = component.Field("prefix") is null ? "##" : component.RequiredSetting("prefix");
        bool cleanUp = component.Flag("cleanup", absent: true);
        makers.Add(next => new WordPieceStage(next, prefix, cleanUp));
    }

    private void AddWordEnd(JsonElement component)
    {
        string suffix = component.Field("suffix") is null ? "</w>" : component.RequiredSetting("suffix");
        if (suffix.Length == 0) throw new TokenizerFormatException(TokenizerFormatError.BadField, "'suffix' of decoder 'BPEDecoder' is empty");
        makers.Add(next => new WordEndStage(next, suffix));
    }
}
