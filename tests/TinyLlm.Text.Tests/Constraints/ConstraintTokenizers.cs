using System.Text;
using System.Text.Json;

namespace TinyLlm.Text.Tests.Constraints;

/// <summary>Tokenizers to constrain: reference ones, and one of the project's own with bytes and a few tokens that cross JSON's borders.</summary>
internal static class ConstraintTokenizers
{
    // Longer tokens are rare in JSON, and looking for them is most of the work.
    private const int LongestTaken = 12;

    public static readonly string[] Names = ["own", "stories", "gpt2", "phi-3-mini"];

    public static Tokenizer Load(string name) => name switch
    {
        "own" => Own(),
        "stories" => ReferenceTokenizers.Stories(),
        _ => ReferenceTokenizers.Load("tokenizers/" + name),
    };

    /// <summary>Bytes, and pieces such as <c>","</c>, <c>": [{</c> and <c>\u00</c>.</summary>
    private static Tokenizer Own()
    {
        string[] pieces = ["{\"", "\":", "\",", "\"}", "\": \"", "\",\"", "}}", "]}", "[[", "\\u00", "\\ud8", "3d", "true}", "null,", "12", "00", ".5", "e-", "ab", "a\"", "\"a\":", "  ", "\n  ", "é", "\\\"", "\\\\", "\",\n\"", "name", "<s>"];
        Dictionary<string, int> vocabulary = [];
        for (int value = 0; value < 256; value++) vocabulary[$"<0x{value:X2}>"] = value;
        foreach (string piece in pieces) vocabulary[piece] = vocabulary.Count;
        return Tokenizer.Load(
            JsonSerializer.SerializeToUtf8Bytes(new
            {
                version = "1.0",
                added_tokens = new[] { new { id = vocabulary["<s>"], content = "<s>", single_word = false, lstrip = false, rstrip = false, normalized = false, special = true } },
                decoder = new { type = "Sequence", decoders = new object[] { new { type = "ByteFallback" }, new { type = "Fuse" } } },
                model = new { type = "BPE", unk_token = (string?)null, byte_fallback = true, vocab = vocabulary, merges = Array.Empty<string>() },
            }),
            []);
    }

    /// <summary>One of the ways to cut a text into tokens, which need not be the tokenizer's own.</summary>
    public static List<int> Split(ReadOnlySpan<byte> bytes, Dictionary<string, int> tokens, Random random)
    {
        List<int> ids = [];
        string text = Encoding.Latin1.GetString(bytes);
        var lookup = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        List<(int Length, int Id)> fitting = [];
        for (int at = 0; at < text.Length;)
        {
            fitting.Clear();
            for (int length = 1; length <= Math.Min(LongestTaken, text.Length - at); length++)
            {
                if (lookup.TryGetValue(text.AsSpan(at, length), out int id)) fitting.Add((length, id));
            }
            // Long ones mostly, as tokenizers do, but not always.
            (int taken, int token) = random.Next(3) > 0 ? fitting[^1] : fitting[random.Next(fitting.Count)];
            ids.Add(token);
            at += taken;
        }
        return ids;
    }

    /// <summary>Ids by their bytes, written as Latin-1.</summary>
    public static Dictionary<string, int> ByBytes(Tokenizer tokenizer)
    {
        Dictionary<string, int> tokens = [];
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            if (tokenizer.TokenBytes(id) is { Length: > 0 } bytes) tokens.TryAdd(Encoding.Latin1.GetString(bytes), id);
        }
        return tokens;
    }
}
