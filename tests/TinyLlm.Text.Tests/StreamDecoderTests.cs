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
            Assert.Equal(tokenizer.Decode(Mend(ids, skipSpecial), skipSpecial), Join(stream, ids));
        }, iter: 5_000);
    }

    [Fact]
    public void Append_AfterAnyPrompt_JoinedEqualDecodeLessSharedPrefix()
    {
        Tokenizer tokenizer = ReferenceTokenizers.Stories();

        Gen.Select(AnyIds, AnyIds).Sample((prompt, ids) =>
        {
            StreamDecoder stream = tokenizer.CreateStreamDecoder(prompt, skipSpecialTokens: true);
            string before = tokenizer.Decode(Mend(prompt, skipSpecial: true), skipSpecialTokens: true);
            string all = tokenizer.Decode(Mend([.. prompt, .. ids], skipSpecial: true), skipSpecialTokens: true);
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

    /// <summary>
    /// A run of byte tokens was kept until it ended, as the reference decodes it: an answer in a language that the vocabulary spells in bytes came
    /// all at once, after its last token.
    /// </summary>
    [Fact]
    public void Append_RunOfByteTokens_EachCharacterComesWithItsLastByte()
    {
        StreamDecoder stream = ReferenceTokenizers.Stories().CreateStreamDecoder([], skipSpecialTokens: true);

        string[] pieces = [.. Encoding.UTF8.GetBytes("あé\U0001F600").Select(value => stream.Append(3 + value))];

        Assert.Equal(["", "", "あ", "", "é", "", "", "", "\U0001F600"], pieces);
        Assert.Equal("\uFFFD", stream.Append(3 + 0x80));
        Assert.Equal("", stream.Append(3 + 0xE3));
        Assert.Equal("\uFFFDa", stream.Append(3 + 'a'));
        Assert.Equal("", stream.Flush());
    }

    /// <summary>The ids with every byte token that belongs to no character replaced by the byte tokens of U+FFFD: a stream reads both alike.</summary>
    private static int[] Mend(int[] ids, bool skipSpecial)
    {
        const int FirstByte = 3, FirstText = 3 + 256, Tokens = 512;
        int[] seen = [.. ids.Where(id => id < Tokens && !(skipSpecial && id < FirstByte))];
        List<int> mended = [];
        for (int i = 0; i < seen.Length;)
        {
            int[] bytes = [.. seen.Skip(i).TakeWhile(id => id is >= FirstByte and < FirstText).Take(4)];
            int length = Enumerable.Range(1, bytes.Length).FirstOrDefault(count => IsCharacter([.. bytes.Take(count).Select(id => (byte)(id - FirstByte))]));
            if (bytes.Length > 0 && length == 0) mended.AddRange([0xEF + FirstByte, 0xBF + FirstByte, 0xBD + FirstByte]);
            else mended.AddRange(seen.AsSpan(i, Math.Max(1, length)));
            i += Math.Max(1, length);
        }
        return [.. mended];

        static bool IsCharacter(byte[] bytes) => System.Text.Unicode.Utf8.IsValid(bytes) && Encoding.UTF8.GetString(bytes).EnumerateRunes().Count() == 1;
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
