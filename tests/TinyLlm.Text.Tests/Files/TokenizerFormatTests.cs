using System.Text;

namespace TinyLlm.Text.Tests.Files;

/// <summary>What foreign files can't do. Each member of <see cref="TokenizerFormatError"/> has a case.</summary>
public sealed class TokenizerFormatTests
{
    [Theory]
    [InlineData(TokenizerFormatError.MissingField, """{"model": {"type": "BPE", "merges": []}}""")]
    [InlineData(TokenizerFormatError.MissingField, """{"normalizer": {}}""")]
    [InlineData(TokenizerFormatError.MissingField, """{"normalizer": {"type": "Replace", "content": "x"}}""")]
    [InlineData(TokenizerFormatError.BadField, """{"model": []}""")]
    [InlineData(TokenizerFormatError.BadField, """{"normalizer": 7}""")]
    [InlineData(TokenizerFormatError.BadField, """{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": "yes"}}""")]
    [InlineData(TokenizerFormatError.BadField, """{"normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "x"}}""")]
    [InlineData(TokenizerFormatError.BadVocabulary, """{"model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}}""")]
    [InlineData(TokenizerFormatError.BadVocabulary, """{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}""")]
    [InlineData(TokenizerFormatError.BadVocabulary, """{"model": {"type": "BPE", "vocab": {"a": 99999999}, "merges": []}}""")]
    [InlineData(TokenizerFormatError.BadVocabulary, """{"model": {"type": "BPE", "vocab": {"a": 1.5}, "merges": []}}""")]
    [InlineData(TokenizerFormatError.BadVocabulary, """{"model": {"type": "Unigram", "vocab": [["a", "x"]]}}""")]
    [InlineData(TokenizerFormatError.BadMerge, """{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a z"]}}""")]
    [InlineData(TokenizerFormatError.BadMerge, """{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]}}""")]
    [InlineData(TokenizerFormatError.BadMerge, """{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a  a"]}}""")]
    [InlineData(TokenizerFormatError.BadAddedToken, """{"added_tokens": [{"id": 1, "content": "z"}]}""")]
    [InlineData(TokenizerFormatError.BadAddedToken, """{"added_tokens": [{"id": 9, "content": ""}]}""")]
    [InlineData(TokenizerFormatError.BadAddedToken, """{"added_tokens": [{"id": 9, "content": "x"}, {"id": 9, "content": "y"}]}""")]
    [InlineData(TokenizerFormatError.BadCharacterMap, """{"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}}""")]
    [InlineData(TokenizerFormatError.BadCharacterMap, """{"normalizer": {"type": "Precompiled", "precompiled_charsmap": "/////////////w=="}}""")]
    [InlineData(TokenizerFormatError.BadCharacterMap, """{"normalizer": {"type": "Precompiled", "precompiled_charsmap": "not base64"}}""")]
    [InlineData(TokenizerFormatError.UnknownToken, """{"model": {"type": "BPE", "unk_token": "zz", "vocab": {"a": 0}, "merges": []}}""")]
    [InlineData(TokenizerFormatError.UnknownToken, """{"post_processor": {"type": "BertProcessing", "sep": ["zz", 1], "cls": ["a", 1]}}""")]
    [InlineData(TokenizerFormatError.UnknownToken, """
        {"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}, {"Sequence": {"id": "A"}}], "special_tokens": {"x": {"ids": [77]}}}}
        """)]
    [InlineData(TokenizerFormatError.UnsupportedModel, """{"model": {"type": "WordLevel", "vocab": {"a": 0}}}""")]
    [InlineData(TokenizerFormatError.UnsupportedModel, """{"model": {"type": "BPE", "dropout": 0.1, "vocab": {"a": 0}, "merges": []}}""")]
    [InlineData(TokenizerFormatError.UnsupportedNormalizer, """{"normalizer": {"type": "Mystery"}}""")]
    [InlineData(TokenizerFormatError.UnsupportedPreTokenizer, """{"pre_tokenizer": {"type": "UnicodeScripts"}}""")]
    [InlineData(TokenizerFormatError.UnsupportedPostProcessor, """{"post_processor": {"type": "Mystery"}}""")]
    [InlineData(TokenizerFormatError.UnsupportedDecoder, """{"decoder": {"type": "CTC"}}""")]
    [InlineData(TokenizerFormatError.UnsupportedDecoder, """{"decoder": {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}}""")]
    [InlineData(TokenizerFormatError.UnsupportedPattern, """{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a)\\1"}, "behavior": "Isolated"}}""")]
    public void Load_BadFile_IsRefusedForItsReason(TokenizerFormatError expected, string fields)
    {
        TokenizerFormatException e = Assert.Throws<TokenizerFormatException>(() => SmallTokenizer.Load(fields));

        Assert.Equal(expected, e.Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{}x")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}}} {}""")]
    [InlineData("""{"decoder": null, "decoder": null}""")]
    [InlineData("""{"normalizer": {"type": "NFC", "type": "NFD"}}""")]
    [InlineData("""{"model": {"vocab": {"a": 0}, "merges": []}, "normalizer": {"type": "\ud800"}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"\udc00": 0}}}""")]
    public void Load_NotJson_IsRefused(string json) =>
        Assert.Equal(TokenizerFormatError.NotJson, Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(Encoding.UTF8.GetBytes(json), [])).Error);

    [Fact]
    public void Load_BadSentencePiece_IsRefused() =>
        Assert.Equal(TokenizerFormatError.BadSentencePiece, Assert.Throws<TokenizerFormatException>(() => Tokenizer.LoadSentencePiece([0x0A, 0x7F], [])).Error);

    [Fact]
    public void Load_TooMuchOfAnything_IsRefused()
    {
        string manySteps = string.Join(',', Enumerable.Repeat("""{"type": "NFC"}""", 65));
        string longToken = new('x', 1_025);
        string[] files =
        [
            $$$$"""{"normalizer": {"type": "Sequence", "normalizers": [{{{{manySteps}}}}]}}""",
            $$$$"""{"normalizer": {"type": "Prepend", "prepend": "{{{{new string('x', 4_097)}}}}"}}""",
            $$$$"""{"model": {"type": "BPE", "vocab": {"{{{{longToken}}}}": 0}, "merges": []}}""",
        ];
        foreach (string fields in files)
            Assert.Equal(TokenizerFormatError.TooLarge, Assert.Throws<TokenizerFormatException>(() => SmallTokenizer.Load(fields)).Error);
        Assert.Equal(TokenizerFormatError.TooLarge, Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(new byte[(64 << 20) + 1], [])).Error);
    }

    [Fact]
    public void Load_DeeplyNestedFile_IsRefused()
    {
        string deep = string.Concat(Enumerable.Repeat("""{"type": "Sequence", "normalizers": [""", 5_000));

        Assert.Throws<TokenizerFormatException>(() => Tokenizer.Load(Encoding.UTF8.GetBytes("{\"normalizer\": " + deep), []));
    }

    [Fact]
    public void Encode_RulesThatMultiplyTheText_AreStopped()
    {
        string doubling = string.Join(',', Enumerable.Repeat("""{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}""", 60));
        Tokenizer tokenizer = SmallTokenizer.Load($$$$"""{"normalizer": {"type": "Sequence", "normalizers": [{{{{doubling}}}}]}}""");

        Assert.Equal(TokenizerFormatError.TextGrowsTooMuch,
            Assert.Throws<TokenizerFormatException>(() => tokenizer.Encode("aaaa", addSpecialTokens: false)).Error);
    }

    [Fact]
    public void Encode_CatastrophicPattern_IsStopped()
    {
        Tokenizer tokenizer = SmallTokenizer.Load("""{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+b"}, "behavior": "Isolated"}}""");

        Assert.Equal(TokenizerFormatError.PatternTooSlow,
            Assert.Throws<TokenizerFormatException>(() => tokenizer.Encode(new string('a', 5_000), addSpecialTokens: false)).Error);
    }

    [Fact]
    public void Load_ForeignTextInMessages_IsEscapedAndCut()
    {
        TokenizerFormatException e = Assert.Throws<TokenizerFormatException>(() => SmallTokenizer.Load("""{"normalizer": {"type": "\u001b[31mred\r\n"}}"""));

        Assert.Contains("\\u001b[31mred\\u000d\\u000a", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AnyFlippedByte_IsReadOrRefused()
    {
        byte[] file = SmallTokenizer.With("""{"normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "Metaspace"}}""");
        for (int at = 0; at < file.Length; at++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] flipped = [.. file];
                flipped[at] ^= (byte)(1 << bit);
                try
                {
                    Tokenizer.Load(flipped, []).Encode("a b<s>", addSpecialTokens: true, parseSpecialTokens: true);
                }
                catch (TokenizerFormatException e)
                {
                    Assert.NotEmpty(e.Message);
                }
            }
        }
    }
}
