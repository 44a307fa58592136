using System.Text.Json;

namespace TinyLlm.Text.Files;

/// <summary>The fields of tokenizer_config.json that say something beyond tokenizer.json. All are optional, as is the file.</summary>
internal sealed record TokenizerConfig
{
    public static TokenizerConfig Empty { get; } = new();

    public string? BeginOfText { get; private init; }

    public string? EndOfText { get; private init; }

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
        };
    }

    /// <summary>A token is given as a string, or as an object whose <c>content</c> it is.</summary>
    private static string? ReadToken(JsonElement root, string name) => root.Field(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } token => token.RequiredString("content"),
        { } text => text.AsString(name),
    };

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
