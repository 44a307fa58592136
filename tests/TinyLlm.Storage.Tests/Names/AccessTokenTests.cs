using CsCheck;

namespace TinyLlm.Storage.Tests;

public sealed class AccessTokenTests
{
    private const string Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private static readonly byte[] Key = [.. Enumerable.Range(0, TokenHash.KeyBytes).Select(i => (byte)i)];

    [Fact]
    public void New_ThenParse_GivesTheUserBack()
    {
        UserId user = UserId.New();
        AccessToken token = AccessToken.New(user);

        Assert.True(AccessToken.TryParse(token.Reveal(), out AccessToken parsed));
        Assert.Equal(token, parsed);
        Assert.Equal(user, parsed.User);
        Assert.Matches("^tlm_[0-9A-Za-z]{38}$", token.Reveal());
        Assert.Equal(AccessToken.Length, token.Reveal().Length);
    }

    /// <summary>The checksum is the CRC-32 of zlib and PNG over all before it; 0x9558D08A was computed with zlib.</summary>
    [Fact]
    public void TryParse_TokenMadeElsewhere_IsRead()
    {
        const string body = "tlm_0123456789ABCDEFGHIJKLMNOPQRSTUV";

        Assert.True(AccessToken.TryParse(body + ToBase62(0x9558D08A), out AccessToken token));
        Assert.Equal("0123456789", token.User.Value);

        static string ToBase62(uint value)
        {
            string digits = "";
            for (int i = 0; i < 6; i++, value /= 62) digits = Alphabet[(int)(value % 62)] + digits;
            return digits;
        }
    }

    [Fact]
    public void TryParse_AnyOneCharacterChanged_IsRefused()
    {
        string text = AccessToken.New(UserId.New()).Reveal();
        int tried = 0;
        for (int i = 0; i < text.Length; i++)
        {
            foreach (char other in Alphabet + "_-. \0é")
            {
                if (other == text[i]) continue;
                string tampered = text[..i] + other + text[(i + 1)..];
                Assert.False(AccessToken.TryParse(tampered, out _), $"'{other}' at {i} went through");
                tried++;
            }
        }
        Assert.True(tried > AccessToken.Length * 60);
    }

    [Fact]
    public void TryParse_OfAnyText_NeverThrows()
    {
        Assert.False(AccessToken.TryParse(null, out _));
        Gen.String.Sample(text => !AccessToken.TryParse(text, out _));
        Gen.Char.Array[AccessToken.Length - 4].Sample(tail => !AccessToken.TryParse("tlm_" + new string(tail), out _));
        Gen.Char[Alphabet].Array[AccessToken.Length - 4].Sample(tail => !AccessToken.TryParse("tlm_" + new string(tail), out _));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void TryParse_AnotherLength_IsRefused(int change)
    {
        string text = AccessToken.New(UserId.New()).Reveal();

        Assert.False(AccessToken.TryParse(change < 0 ? text[..^1] : text + "0", out _));
        Assert.False(AccessToken.TryParse(" " + text, out _));
        Assert.False(AccessToken.TryParse(text + "\n", out _));
    }

    [Fact]
    public void ToString_NeverTellsTheSecret()
    {
        AccessToken token = AccessToken.New(UserId.New());

        Assert.Equal($"tlm_{token.User}…", token.ToString());
        Assert.Equal("tlm_", default(AccessToken).ToString());
    }

    [Fact]
    public void Hash_SameTokenAndKey_Matches()
    {
        AccessToken token = AccessToken.New(UserId.New());
        TokenHash hash = TokenHash.Compute(token, Key);

        Assert.True(hash.Matches(TokenHash.Compute(token.Reveal(), Key)));
        Assert.True(TokenHash.TryParse(hash.Value, null, out TokenHash parsed) && parsed.Matches(hash));
        Assert.False(hash.Matches(TokenHash.Compute(AccessToken.New(token.User), Key)));
        Assert.False(hash.Matches(TokenHash.Compute(token, [.. Key.Reverse()])));
        Assert.False(hash.Matches(default));
        Assert.False(default(TokenHash).Matches(hash));
        Assert.Throws<ArgumentException>(() => TokenHash.Compute(token, Key.AsSpan(1)));
    }

    /// <summary>RFC 4231 has no 32-byte key with text; this value was computed with openssl: printf tlm | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001..1f.</summary>
    [Fact]
    public void Hash_IsHmacSha256() =>
        Assert.Equal("d370d41a242157bec492090f9868595bd60f7b00646cafcb535cc56d8822997e", TokenHash.Compute("tlm", Key).Value);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("00")]
    [InlineData("g000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("A000000000000000000000000000000000000000000000000000000000000000")]
    public void Hash_NotSixtyFourSmallHexDigits_IsRefused(string? text) => Assert.False(TokenHash.TryParse(text, null, out _));
}
