using System.Text;

namespace TinyLlm.Storage.Tests;

public sealed class ContentDigestTests
{
    /// <summary>From RFC 9530, appendix D: the digest of {"hello": "world"} and a line feed.</summary>
    private const string Field = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";

    [Fact]
    public async Task TryParseField_OfTheRfc_IsTheBodysDigest()
    {
        using MemoryStream body = new(Encoding.UTF8.GetBytes("{\"hello\": \"world\"}\n"));

        Assert.True(ContentDigest.TryParseField(Field, out ContentDigest? digest));
        Assert.Equal(digest, await ContentDigest.ComputeAsync(body, TestContext.Current.CancellationToken));
        Assert.Equal(Field, digest.ToField());
        Assert.True(ContentDigest.TryParseHex(digest.Hex, out ContentDigest? fromHex));
        Assert.Equal(digest, fromHex);
        Assert.Equal($"sha256:{digest.Hex}", digest.ToString());
    }

    [Theory]
    [InlineData("sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:, " + Field)]
    [InlineData(Field + ",sha-512=:AA==:")]
    [InlineData("  " + Field + "\t")]
    public void TryParseField_AmongOthers_IsFound(string field)
    {
        Assert.True(ContentDigest.TryParseField(field, out ContentDigest? digest));
        Assert.Equal(Field, digest.ToField());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("sha-256")]
    [InlineData("sha-256=")]
    [InlineData("sha-256=::")]
    [InlineData("sha-256=:AA==:")]
    [InlineData("sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=")]
    [InlineData("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:")]
    [InlineData("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDh=:")]
    [InlineData("sha-256=: RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:")]
    [InlineData("SHA-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:")]
    [InlineData(Field + ", " + Field)]
    [InlineData(Field + ", sha-256=:x:")]
    [InlineData("sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:")]
    public void TryParseField_WithoutOneGoodSha256_IsRefused(string? field)
    {
        Assert.False(ContentDigest.TryParseField(field, out ContentDigest? digest));
        Assert.Null(digest);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("00")]
    [InlineData("zz00000000000000000000000000000000000000000000000000000000000000")]
    public void TryParseHex_NotADigest_IsRefused(string? hex) => Assert.False(ContentDigest.TryParseHex(hex, out _));
}
