using TinyLlm.Text.Files;

namespace TinyLlm.Text.Models;

/// <summary>Tokens by id and ids by token, of the model alone: added tokens are not in here unless the model's own vocabulary has them too.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> idsBySpan;
    private readonly string?[] tokens;

    public Vocabulary(IReadOnlyList<VocabularyEntry> entries)
    {
        ids = new Dictionary<string, int>(entries.Count, StringComparer.Ordinal);
        idsBySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        tokens = new string?[entries.Count == 0 ? 0 : entries.Max(entry => entry.Id) + 1];
        foreach ((string token, int id, _) in entries)
        {
            if (!ids.TryAdd(token, id))
                throw new TokenizerFormatException(TokenizerFormatError.BadVocabulary, $"token {TokenizerFormatException.Quote(token)} is given twice");
            if (tokens[id] is { } other)
            {
                throw new TokenizerFormatException(TokenizerFormatError.BadVocabulary,
                    $"tokens {TokenizerFormatException.Quote(other)} and {TokenizerFormatException.Quote(token)} have the same id {id}");
            }
            tokens[id] = token;
        }
    }

    /// <summary>One more than the highest id.</summary>
    public int Size => tokens.Length;

    public int? Find(string token) => ids.TryGetValue(token, out int id) ? id : null;

    public bool TryFind(ReadOnlySpan<char> token, out int id) => idsBySpan.TryGetValue(token, out id);

    /// <summary>The token, or null for an id that has none.</summary>
    public string? Token(int id) => (uint)id < (uint)tokens.Length ? tokens[id] : null;

    /// <summary>The id of a token that a file names in <paramref name="where"/>.</summary>
    public int Require(string token, string where) => Find(token)
        ?? throw new TokenizerFormatException(TokenizerFormatError.UnknownToken, $"{where} names {TokenizerFormatException.Quote(token)}, which is no token");
}
