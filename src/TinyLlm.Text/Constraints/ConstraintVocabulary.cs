using TinyLlm.Text.Constraints;

namespace TinyLlm.Text;

/// <summary>
/// A tokenizer's tokens arranged by their bytes, to find those that a constraint allows. Made once for a tokenizer: it costs about as much as loading that.
/// Special tokens, and ids without a token, belong to no document. Safe for concurrent use.
/// </summary>
public sealed class ConstraintVocabulary
{
    // No token in use is longer; a file that has one can't make the walk deep.
    private const int MaxTokenBytes = 256;

    private readonly byte[]?[] _bytes;

    /// <param name="tokenizer">The tokenizer.</param>
    public ConstraintVocabulary(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _bytes = new byte[]?[tokenizer.VocabularySize];
        List<(byte[], int)> plain = [], quoted = [];
        int longest = 0;
        for (int id = 0; id < _bytes.Length; id++)
        {
            byte[]? bytes = tokenizer.TokenBytes(id);
            if (bytes is not { Length: > 0 and <= MaxTokenBytes }) continue;
            _bytes[id] = bytes;
            (bytes.AsSpan().Contains((byte)'"') ? quoted : plain).Add((bytes, id));
            longest = Math.Max(longest, bytes.Length);
        }
        Plain = new ByteTrie(plain);
        Quoted = new ByteTrie(quoted);
        Texts = new TextMasks(Plain, _bytes.Length, longest);
    }

    /// <summary>One more than the highest id that can be allowed.</summary>
    public int Size => _bytes.Length;

    /// <summary>Tokens without a quotation mark: inside a string they stay inside.</summary>
    internal ByteTrie Plain { get; }

    /// <summary>Tokens with one.</summary>
    internal ByteTrie Quoted { get; }

    internal TextMasks Texts { get; }

    /// <summary>Null for a token that no document has.</summary>
    internal byte[]? Bytes(int id) => (uint)id < (uint)_bytes.Length ? _bytes[id] : null;
}
