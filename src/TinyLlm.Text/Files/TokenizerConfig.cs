using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using TinyLlm.Text.AddedTokens;

namespace TinyLlm.Text.Files;

/// <summary>The fields of tokenizer_config.json that say something beyond tokenizer.json. All are optional, as is the file.</summary>
internal sealed record TokenizerConfig
{
    public static TokenizerConfig Empty { get; } = new();

    public string? BeginOfText { get; private init; }

    public string? EndOfText { get; private init; }

    /// <summary>Tokens beyond a tokenizer.model's own (<c>added_tokens_decoder</c>); a tokenizer.json has them itself.</summary>
    public ImmutableArray<AddedToken> AddedTokens { get; private init; } = [];

    /// <summary>Whether a tokenizer.model's texts begin with the token; null when not said.</summary>
    public bool? AddBeginOfText { get; private init; }

    /// <summary>Whether a tokenizer.model's texts end with the token; null when not said.</summary>
    public bool? AddEndOfText { get; private init; }

    public string? TokenizerClass { get; private init; }

    /// <summary>The template's source; of several, the one named <c>default</c>.</summary>
    public string? ChatTemplate { get; private init; }

    public static TokenizerConfig Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.IsEmpty) return Empty;
        JsonElement root = TokenizerJson.ParseTree(utf8, "tokenizer_config.json");
        return new TokenizerConfig
        {
            BeginOfText = ReadToken(root, "bos_token"),
            EndOfText = ReadToken(root, "eos_token"),
            ChatTemplate = ReadChatTemplate(root),
            AddedTokens = ReadAddedTokens(root),
            AddBeginOfText = root.Field("add_bos_token") is null ? null : root.Flag("add_bos_token", absent: false),
            AddEndOfText = root.Field("add_eos_token") is null ? null : root.Flag("add_eos_token", absent: false),
            TokenizerClass = root.OptionalString("tokenizer_class"),
        };
    }

    /// <summary>A token is given as a string, or as an object whose <c>content</c> it is.</summary>
    private static string? ReadToken(JsonElement root, string name) => root.Field(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } token => token.RequiredString("content"),
        { } text => text.AsString(name),
    };

    private static ImmutableArray<AddedToken> ReadAddedTokens(JsonElement root)
    {
        if (root.Field("added_tokens_decoder") is null) return [];
        JsonElement byId = root.RequiredObject("added_tokens_decoder");
        if (byId.GetPropertyCount() > TokenizerLimits.MaxAddedTokens)
        {
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge,
                $"'added_tokens_decoder' has {byId.GetPropertyCount()} tokens: at most {TokenizerLimits.MaxAddedTokens} are allowed");
        }
        return [.. byId.EnumerateObject().Select(item => AddedTokenSet.ReadOne(item.Value, ParseId(item.Name)))];
    }

    private static int ParseId(string name) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id < TokenizerLimits.MaxVocabulary
            ? id
            : throw new TokenizerFormatException(TokenizerFormatError.BadAddedToken,
                $"a key of 'added_tokens_decoder' is {TokenizerFormatException.Quote(name)}: it must be an integer from 0 to {TokenizerLimits.MaxVocabulary - 1}");

    private static string? ReadChatTemplate(JsonElement root)
    {
        if (root.Field("chat_template") is not { } template) return null;
        if (template.ValueKind != JsonValueKind.Array) return template.AsString("chat_template");
        foreach (JsonElement named in template.EnumerateArray())
        {
            if (named.RequiredString("name") == "default") return named.RequiredString("template");
        }
        return null;
    }
}
