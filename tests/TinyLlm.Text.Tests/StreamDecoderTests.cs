using System.Text;
using CsCheck;

namespace TinyLlm.Text.Tests;

public sealed class StreamDecoderTests
{
    /// <summary>Ids of stories260K, with byte tokens (3 to 258) and the bytes of emoji as likely as all others together; some have no token.</summary>
    private static readonly Gen<int[]> AnyIds = Gen.Frequency(
        (3, Gen.Int[0, 515].Array[1]),
        (1, Gen.Int[3, 258].Array[1]),
        (1, Gen.Int[3 + 0x80, 3 + 0xBF].Array[1]),
        (1, Gen.Const(Encoding.UTF8.GetBytes("\U0001F600").Select(b => b + 3).ToArray())),
        (1, Gen.Const(Encoding.UTF8.GetBytes("é").Select(b => b + 3).ToArray())),
        (1, Gen.Const(new[] { 410 }))).Array[0, 24].Select(parts => parts.SelectMany(part => part).ToArray());

    [Fact]
    public void Append_AnyIds_JoinedEqualDecodeAndNeverHalfACharacter()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();

        Gen.Select(AnyIds, Gen.Bool).Sample((ids, skipSpecial) =>
        {
            StreamDecoder stream = tokenizer.CreateStreamDecoder([], skipSpecial);
            Assert.Equal(tokenizer.Decode(ids, skipSpecial), Join(stream, ids));
        }, iter: 5_000);
    }

    [Fact]
    public void Append_AfterAnyPrompt_JoinedEqualDecodeLessSharedPrefix()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();

        Gen.Select(AnyIds, AnyIds).Sample((prompt, ids) =>
        {
            StreamDecoder stream = tokenizer.CreateStreamDecoder(prompt, skipSpecialTokens: true);
            string before = tokenizer.Decode(prompt, skipSpecialTokens: true);
            string all = tokenizer.Decode([.. prompt, .. ids], skipSpecialTokens: true);
            int shared = before.AsSpan().CommonPrefixLength(all);
            if (shared > 0 && char.IsHighSurrogate(all[shared - 1])) shared--;
            Assert.Equal(all[shared..], Join(stream, ids));
        }, iter: 5_000);
    }

    [Fact]
    public void Append_FirstTokenWithSpace_SpaceIsDroppedAtTheStartOnly()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();
        int[] once = tokenizer.Encode("Once", addSpecialTokens: false);

        Assert.Equal("Once", Join(tokenizer.CreateStreamDecoder([], skipSpecialTokens: true), once));
        Assert.Equal("Once", Join(tokenizer.CreateStreamDecoder([1], skipSpecialTokens: true), once));
        Assert.Equal(" Once", Join(tokenizer.CreateStreamDecoder([1, .. once], skipSpecialTokens: true), once));
    }

    [Fact]
    public void Append_PromptEndsInHalfACharacter_TheWholeCharacterComesOut()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();
        int[] emoji = [.. Encoding.UTF8.GetBytes("\U0001F600").Select(b => b + 3)];

        Assert.Equal("\U0001F600", Join(tokenizer.CreateStreamDecoder(emoji.AsSpan(0, 2), skipSpecialTokens: true), emoji[2..]));
        Assert.Equal("", Join(tokenizer.CreateStreamDecoder(emoji, skipSpecialTokens: true), []));
    }

    [Fact]
    public void Decode_InvalidByteRun_IsOneReplacementForEachByte()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();

        Assert.Equal("\uFFFD\uFFFD\uFFFD", tokenizer.Decode([3 + 'a', 3 + 0xC3, 3 + 'b'], skipSpecialTokens: true));
        Assert.Equal("\uFFFD", tokenizer.Decode([3 + 0xF0], skipSpecialTokens: true));
    }

    private static string Join(StreamDecoder stream, int[] ids)
    {
        StringBuilder text = new();
        foreach (int id in ids) Add(stream.Append(id));
        Add(stream.Flush());
        Assert.Equal("", stream.Flush());
        return text.ToString();

        void Add(string piece)
        {
            Assert.False(piece.Length > 0 && (char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1])), "half a character was emitted");
            text.Append(piece);
        }
    }
}
