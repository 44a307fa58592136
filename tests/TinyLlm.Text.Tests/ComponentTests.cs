using System.Text.Json;
using TinyLlm.Text.Normalization;
using TinyLlm.Text.Tests.Files;

namespace TinyLlm.Text.Tests;

/// <summary>Components that no reference tokenizer of the data uses, by the reference library's rules.</summary>
public sealed class ComponentTests
{
    private const string Bert = """
        {"added_tokens": [{"id": 0, "content": "[CLS]", "special": true}, {"id": 1, "content": "[SEP]", "special": true}],
         "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
         "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 1], "cls": ["[CLS]", 0]},
         "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
           "vocab": {"[CLS]": 0, "[SEP]": 1, "[UNK]": 2, "un": 3, "##aff": 4, "##able": 5, "!": 6, "cafe": 7, "中": 8, "##s": 9}}}
        """;

    [Theory]
    [InlineData("Unaffable!", new[] { 3, 4, 5, 6 })]
    [InlineData("CAFÉS中", new[] { 7, 9, 8 })]
    [InlineData("un\u0000aff\tzzz", new[] { 3, 4, 2 })]
    public void Encode_WordPiece_CutsLongestFirst(string text, int[] expected)
    {
        Tokenizer tokenizer = SmallTokenizer.Load(Bert);

        Assert.Equal(expected, tokenizer.Encode(text, addSpecialTokens: false));
        Assert.Equal([0, .. expected, 1], tokenizer.Encode(text, addSpecialTokens: true));
    }

    [Fact]
    public void Decode_WordPiece_ClosesWordsAndPunctuation() =>
        Assert.Equal("unaffable! cafes", SmallTokenizer.Load(Bert).Decode([0, 3, 4, 5, 6, 7, 9, 1], skipSpecialTokens: true));

    [Theory]
    [InlineData("Removed", "a|b")]
    [InlineData("Isolated", "a| | |b")]
    [InlineData("MergedWithPrevious", "a | |b")]
    [InlineData("MergedWithNext", "a| | b")]
    [InlineData("Contiguous", "a|  |b")]
    public void Encode_SplitBehavior_CutsAsNamed(string behavior, string expected)
    {
        // Every piece is a token as a whole.
        Tokenizer tokenizer = SmallTokenizer.Load($$$"""
            {"added_tokens": [], "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "{{{behavior}}}"},
             "model": {"type": "BPE", "ignore_merges": true, "vocab": {"a": 0, "b": 1, " ": 2, "a ": 3, " b": 4, "  ": 5}, "merges": []}}
            """);

        Assert.Equal(expected, string.Join('|', tokenizer.Encode("a  b", addSpecialTokens: false).Select(id => tokenizer.TokenText(id, skipSpecialTokens: false))));
    }

    [Theory]
    [InlineData("""{"lstrip": true}""", "a <x> b", "a|<x>| |b")]
    [InlineData("""{"rstrip": true}""", "a <x> b", "a| |<x>|b")]
    [InlineData("""{"single_word": true}""", "a<x> <x>b <x>", "a|?|x|?| |?|x|?|b| |<x>")]
    public void Encode_AddedTokenFlags_TakeWhatTheySay(string flags, string text, string expected)
    {
        string token = """{"id": 9, "content": "<x>", "special": true""" + (flags.Length > 2 ? ", " : "") + flags[1..];
        Tokenizer tokenizer = SmallTokenizer.Load($$$"""
            {"added_tokens": [{{{token}}}],
             "model": {"type": "BPE", "unk_token": "?", "vocab": {"?": 0, "a": 1, "b": 2, " ": 3, "x": 4}, "merges": []}}
            """);

        int[] ids = tokenizer.Encode(text, addSpecialTokens: false, parseSpecialTokens: true);
        Assert.Equal(expected, string.Join('|', ids.Select(id => tokenizer.TokenText(id, skipSpecialTokens: false))));
    }

    [Fact]
    public void Encode_MetaspaceFirst_PrependsToTheTextOnly()
    {
        Tokenizer tokenizer = SmallTokenizer.Load("""
            {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true},
             "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"},
             "model": {"type": "BPE", "unk_token": "?", "vocab": {"?": 0, "a": 1, "b": 2, "▁": 3, "▁a": 4}, "merges": ["▁ a"]}}
            """);

        int[] ids = tokenizer.Encode("a<s>a a", addSpecialTokens: false, parseSpecialTokens: true);
        Assert.Equal([4, 5, 1, 4], ids);
        Assert.Equal("aa a", tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    [Fact]
    public void Encode_UnknownCharacters_FuseAsConfigured()
    {
        string model = """{"type": "BPE", "unk_token": "?", "fuse_unk": FUSE, "vocab": {"?": 0, "a": 1}, "merges": []}""";

        Assert.Equal([1, 0, 1], SmallTokenizer.Load($$$"""{"model": {{{model.Replace("FUSE", "true", StringComparison.Ordinal)}}}}""").Encode("axyza", addSpecialTokens: false));
        Assert.Equal([1, 0, 0, 0, 1], SmallTokenizer.Load($$$"""{"model": {{{model.Replace("FUSE", "false", StringComparison.Ordinal)}}}}""").Encode("axyza", addSpecialTokens: false));
    }

    [Fact]
    public void Decode_WordEnds_BecomeSpacesButTheLast()
    {
        Tokenizer tokenizer = SmallTokenizer.Load("""
            {"decoder": {"type": "BPEDecoder", "suffix": "</w>"},
             "model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"a": 0, "a</w>": 1, "b</w>": 2}, "merges": []}}
            """);

        Assert.Equal([0, 2], tokenizer.Encode("ab", addSpecialTokens: false));
        Assert.Equal("aa b", tokenizer.Decode([0, 1, 2], skipSpecialTokens: true));
        StreamDecoder stream = tokenizer.CreateStreamDecoder([], skipSpecialTokens: true);
        Assert.Equal(("", "a", "a ", "b"), (stream.Append(0), stream.Append(1), stream.Append(2), stream.Flush()));
    }

    [Theory]
    [InlineData("NFD", "\u00E9", "e\u0301")]
    [InlineData("NFKC", "\uFB01", "fi")]
    [InlineData("Lowercase", "\u0130\u03A3", "i\u0307\u03C3")]
    [InlineData("StripAccents", "e\u0301", "e")]
    [InlineData("Strip", " \ta \n", "a")]
    [InlineData("Nmt", "a\u0001\u200Bb", "a b")]
    public void Normalize_Kind_RewritesAsTheReference(string type, string text, string expected)
    {
        using JsonDocument component = JsonDocument.Parse($$"""{"type": "{{type}}"}""");

        Assert.Equal(expected, NormalizerReader.Read(component.RootElement).Normalize(text));
    }

    [Fact]
    public void Normalize_ReplaceByPattern_ReplacesEachMatch()
    {
        using JsonDocument component = JsonDocument.Parse("""{"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "$1"}""");

        Assert.Equal("a$1b c", NormalizerReader.Read(component.RootElement).Normalize("a   b c"));
    }
}
