using System.Text.Json;

namespace TinyLlm.Text.Files;

/// <summary>
/// The parts of a tokenizer.json, checked for form and size only; what they mean is decided by the components that read them.
/// Vocabulary and merges are streamed, because a tree of them would take many times the file's size; the rest is small and held as trees.
/// </summary>
internal sealed class TokenizerJson
{
    private static readonly JsonSerializerOptions TreeOptions = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    public JsonElement? Normalizer { get; private set; }

    public JsonElement? PreTokenizer { get; private set; }

    public JsonElement? PostProcessor { get; private set; }

    public JsonElement? Decoder { get; private set; }

    public JsonElement? AddedTokens { get; private set; }

    /// <summary>The model's fields but vocab and merges.</summary>
    public Dictionary<string, JsonElement> ModelSettings { get; } = new(StringComparer.Ordinal);

    /// <summary>Tokens with their ids; with scores when the file gave the vocabulary as a list (Unigram).</summary>
    public List<VocabularyEntry>? Vocabulary { get; private set; }

    public bool VocabularyHasScores { get; private set; }

    public List<(string Left, string Right)>? Merges { get; private set; }

    public static TokenizerJson Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > TokenizerLimits.MaxFileBytes)
        {
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge,
                $"tokenizer.json has {utf8.Length} bytes: at most {TokenizerLimits.MaxFileBytes} are allowed");
        }
        TokenizerJson file = new();
        Utf8JsonReader reader = new(utf8, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            file.ReadTop(ref reader);
        }
        catch (JsonException e)
        {
            throw new TokenizerFormatException(TokenizerFormatError.NotJson, "tokenizer.json is not well-formed JSON", e);
        }
        return file;
    }

    /// <summary>A small JSON file as a tree.</summary>
    public static JsonElement ParseTree(ReadOnlySpan<byte> utf8, string fileName)
    {
        CheckPart(utf8.Length, fileName);
        Utf8JsonReader reader = new(utf8, new JsonReaderOptions { MaxDepth = 64 });
        try
        {
            JsonElement tree = JsonSerializer.Deserialize<JsonElement>(ref reader, TreeOptions);
            if (reader.Read()) throw new TokenizerFormatException(TokenizerFormatError.NotJson, $"{fileName} goes on after its value");
            return tree;
        }
        catch (JsonException e)
        {
            throw new TokenizerFormatException(TokenizerFormatError.NotJson, $"{fileName} is not well-formed JSON", e);
        }
    }

    private void ReadTop(ref Utf8JsonReader reader)
    {
        reader.Read();
        Expect(ref reader, JsonTokenType.StartObject, "tokenizer.json");
        HashSet<string> seen = new(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = ReadString(ref reader, "a field's name");
            CheckUnseen(seen, name);
            reader.Read();
            switch (name)
            {
                case "model": ReadModel(ref reader); break;
                case "normalizer": Normalizer = ReadTree(ref reader, name); break;
                case "pre_tokenizer": PreTokenizer = ReadTree(ref reader, name); break;
                case "post_processor": PostProcessor = ReadTree(ref reader, name); break;
                case "decoder": Decoder = ReadTree(ref reader, name); break;
                case "added_tokens": AddedTokens = ReadTree(ref reader, name); break;
                default: reader.Skip(); break; // version, truncation and padding say nothing about a text's ids
            }
        }
        if (reader.Read()) throw new JsonException("more than one value");
    }

    private void ReadModel(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "model");
        HashSet<string> seen = new(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = ReadString(ref reader, "a field's name");
            CheckUnseen(seen, name);
            reader.Read();
            if (name == "vocab") ReadVocabulary(ref reader);
            else if (name == "merges") ReadMerges(ref reader);
            else if (ReadTree(ref reader, name) is { } setting) ModelSettings.Add(name, setting);
        }
    }

    private void ReadVocabulary(ref Utf8JsonReader reader)
    {
        Vocabulary = [];
        VocabularyHasScores = reader.TokenType == JsonTokenType.StartArray;
        if (!VocabularyHasScores) Expect(ref reader, JsonTokenType.StartObject, "vocab");
        JsonTokenType end = VocabularyHasScores ? JsonTokenType.EndArray : JsonTokenType.EndObject;
        while (reader.Read() && reader.TokenType != end)
        {
            if (Vocabulary.Count == TokenizerLimits.MaxVocabulary)
                throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"'vocab' has more than {TokenizerLimits.MaxVocabulary} tokens");
            Vocabulary.Add(VocabularyHasScores ? ReadScored(ref reader, Vocabulary.Count) : ReadNumbered(ref reader));
        }
    }

    private static VocabularyEntry ReadNumbered(ref Utf8JsonReader reader)
    {
        string token = ReadToken(ref reader);
        reader.Read();
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int id) || id < 0 || id >= TokenizerLimits.MaxVocabulary)
        {
            throw new TokenizerFormatException(TokenizerFormatError.BadVocabulary,
                $"the id of token {TokenizerFormatException.Quote(token)} must be an integer from 0 to {TokenizerLimits.MaxVocabulary - 1}");
        }
        return new VocabularyEntry(token, id, 0);
    }

    private static VocabularyEntry ReadScored(ref Utf8JsonReader reader, int id)
    {
        Expect(ref reader, JsonTokenType.StartArray, "a token with its score");
        reader.Read();
        Expect(ref reader, JsonTokenType.String, "a token");
        string token = ReadToken(ref reader);
        reader.Read();
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDouble(out double score) || !double.IsFinite(score))
        {
            throw new TokenizerFormatException(TokenizerFormatError.BadVocabulary,
                $"the score of token {TokenizerFormatException.Quote(token)} must be a finite number");
        }
        reader.Read();
        Expect(ref reader, JsonTokenType.EndArray, "the end of a token with its score");
        return new VocabularyEntry(token, id, score);
    }

    private void ReadMerges(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartArray, "merges");
        Merges = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (Merges.Count == TokenizerLimits.MaxMerges)
                throw new TokenizerFormatException(TokenizerFormatError.TooLarge, $"'merges' has more than {TokenizerLimits.MaxMerges} items");
            Merges.Add(reader.TokenType == JsonTokenType.String ? ReadJoinedMerge(ref reader) : ReadPairMerge(ref reader));
        }
    }

    /// <summary>The older form: both tokens in one string with a space between.</summary>
    private static (string Left, string Right) ReadJoinedMerge(ref Utf8JsonReader reader)
    {
        string both = ReadString(ref reader, "a merge");
        int space = both.IndexOf(' ', StringComparison.Ordinal);
        if (space > 0 && space < both.Length - 1 && both.IndexOf(' ', space + 1) < 0) return (both[..space], both[(space + 1)..]);
        throw new TokenizerFormatException(TokenizerFormatError.BadMerge, $"merge {TokenizerFormatException.Quote(both)} must be two tokens with one space between");
    }

    private static (string Left, string Right) ReadPairMerge(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartArray, "a merge");
        reader.Read();
        Expect(ref reader, JsonTokenType.String, "a merge's left token");
        string left = ReadToken(ref reader);
        reader.Read();
        Expect(ref reader, JsonTokenType.String, "a merge's right token");
        string right = ReadToken(ref reader);
        reader.Read();
        Expect(ref reader, JsonTokenType.EndArray, "a merge's end");
        return (left, right);
    }

    private static string ReadToken(ref Utf8JsonReader reader)
    {
        string token = ReadString(ref reader, "a token");
        if (token.Length <= TokenizerLimits.MaxTokenChars) return token;
        throw new TokenizerFormatException(TokenizerFormatError.TooLarge,
            $"token {TokenizerFormatException.Quote(token)} has {token.Length} characters: at most {TokenizerLimits.MaxTokenChars} are allowed");
    }

    private static JsonElement? ReadTree(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType == JsonTokenType.Null) return null;
        Utf8JsonReader ahead = reader;
        ahead.Skip();
        CheckPart(ahead.BytesConsumed - reader.BytesConsumed, name);
        return JsonSerializer.Deserialize<JsonElement>(ref reader, TreeOptions);
    }

    private static void CheckPart(long bytes, string name)
    {
        if (bytes > TokenizerLimits.MaxPartBytes)
        {
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge,
                $"{TokenizerFormatException.Quote(name)} takes {bytes} bytes: at most {TokenizerLimits.MaxPartBytes} are allowed");
        }
    }

    private static void CheckUnseen(HashSet<string> seen, string name)
    {
        if (!seen.Add(name))
            throw new TokenizerFormatException(TokenizerFormatError.NotJson, $"field {TokenizerFormatException.Quote(name)} is given twice");
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType expected, string what)
    {
        if (reader.TokenType != expected)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, $"{what}: {expected} was expected, not {reader.TokenType}");
    }

    private static string ReadString(ref Utf8JsonReader reader, string what)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // A lone surrogate passes the reader and fails here.
            throw new TokenizerFormatException(TokenizerFormatError.NotJson, $"{what} is not valid Unicode", e);
        }
    }
}
