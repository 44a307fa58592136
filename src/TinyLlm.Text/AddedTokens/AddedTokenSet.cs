using System.Text.Json;
using TinyLlm.Text.Files;
using TinyLlm.Text.Models;
using TinyLlm.Text.Normalization;
using TinyLlm.Text.Unicode;

namespace TinyLlm.Text.AddedTokens;

/// <summary>
/// The added tokens of one tokenizer. Those that are not normalized are cut out of the raw text, the others out of the normalized text between them,
/// both by the reference's rules (tokenizers, added_vocabulary.rs).
/// </summary>
internal sealed class AddedTokenSet
{
    private readonly Dictionary<int, AddedToken> byId = [];
    private readonly Dictionary<string, int> idByContent = new(StringComparer.Ordinal);

    public AddedTokenSet(IEnumerable<AddedToken> tokens, Normalizer normalizer)
    {
        foreach (AddedToken token in tokens)
        {
            if (byId.TryGetValue(token.Id, out AddedToken? sameId) && sameId.Content != token.Content) throw Conflict(token, sameId.Content);
            // The reference ignores a token that was added before.
            if (!idByContent.TryAdd(token.Content, token.Id)) continue;
            byId.Add(token.Id, token);
            if (token.Normalized && normalizer.Normalize(token.Content) is { Length: > 0 } normalized) Normalized.Add(normalized, token);
            else Raw.Add(token.Content, token);
        }
        Raw.Seal();
        Normalized.Seal();
    }

    /// <summary>Tokens to be found in the raw text.</summary>
    public AddedTokenTrie Raw { get; } = new();

    /// <summary>Tokens to be found in the normalized text.</summary>
    public AddedTokenTrie Normalized { get; } = new();

    public IEnumerable<AddedToken> All => byId.Values;

    public string? Token(int id) => byId.GetValueOrDefault(id)?.Content;

    public int? Find(string content) => idByContent.TryGetValue(content, out int id) ? id : null;

    public bool IsSpecial(int id) => byId.TryGetValue(id, out AddedToken? token) && token.Special;

    /// <summary>The tokens of <c>added_tokens</c>, checked against the model's vocabulary.</summary>
    public static List<AddedToken> Read(JsonElement? list, Vocabulary vocabulary)
    {
        List<AddedToken> tokens = [];
        if (list is not { } array) return tokens;
        if (array.ValueKind != JsonValueKind.Array)
            throw new TokenizerFormatException(TokenizerFormatError.BadField, $"'added_tokens' must be an array, not {array.ValueKind}");
        if (array.GetArrayLength() > TokenizerLimits.MaxAddedTokens)
        {
            throw new TokenizerFormatException(TokenizerFormatError.TooLarge,
                $"'added_tokens' has {array.GetArrayLength()} tokens: at most {TokenizerLimits.MaxAddedTokens} are allowed");
        }
        foreach (JsonElement item in array.EnumerateArray())
        {
            AddedToken token = ReadOne(item, item.RequiredInteger("id", 0, TokenizerLimits.MaxVocabulary - 1));
            CheckAgainst(vocabulary, token);
            tokens.Add(token);
        }
        return tokens;
    }

    /// <summary>Cuts <paramref name="text"/> at the tokens of <paramref name="trie"/>; special ones only if asked to.</summary>
    public static void Split(ReadOnlySpan<char> text, AddedTokenTrie trie, bool parseSpecial, List<Segment> segments)
    {
        int done = 0;
        int from = 0;
        while (trie.Find(text, from) is { } match)
        {
            (AddedToken token, int start, int end) = match;
            from = end;
            if (start < done || (token.Special && !parseSpecial)) continue;
            if (token.SingleWord && (WordCharacters.EndsWithWord(text[..start]) || WordCharacters.StartsWithWord(text[end..]))) continue;
            if (token.StripLeft) start = Math.Max(done, start - WordCharacters.TrailingWhiteSpace(text[..start]));
            if (token.StripRight) end += WordCharacters.LeadingWhiteSpace(text[end..]);
            if (start > done) segments.Add(new Segment(done, start, null));
            segments.Add(new Segment(start, end, token.Id));
            done = end;
        }
        if (done < text.Length) segments.Add(new Segment(done, text.Length, null));
    }

    /// <summary>An added token may be one of the model's own, and else must not take another's id.</summary>
    public static void CheckAgainst(Vocabulary vocabulary, AddedToken token)
    {
        if (vocabulary.Token(token.Id) is { } other && other != token.Content) throw Conflict(token, other);
    }

    /// <summary>One token; its id is a field of it in some files and its key in others.</summary>
    public static AddedToken ReadOne(JsonElement item, int id)
    {
        string content = item.RequiredString("content");
        if (content.Length is 0 or > TokenizerLimits.MaxAddedTokenChars)
        {
            throw new TokenizerFormatException(TokenizerFormatError.BadAddedToken,
                $"added token {TokenizerFormatException.Quote(content)} has {content.Length} characters: 1 to {TokenizerLimits.MaxAddedTokenChars} are allowed");
        }
        bool special = item.Flag("special", absent: false);
        return new AddedToken(
            id,
            content,
            item.Flag("single_word", absent: false),
            item.Flag("lstrip", absent: false),
            item.Flag("rstrip", absent: false),
            item.Flag("normalized", absent: !special),
            special);
    }

    private static TokenizerFormatException Conflict(AddedToken token, string other) =>
        new(TokenizerFormatError.BadAddedToken,
            $"added token {TokenizerFormatException.Quote(token.Content)} has id {token.Id}, which is {TokenizerFormatException.Quote(other)}'s");
}
