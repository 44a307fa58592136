using CsCheck;

namespace TinyLlm.Storage.Tests;

public sealed class ObjectNameTests
{
    [Theory]
    [InlineData("user-tinyllm.user/0123456789.json", "user-tinyllm.user/0123456789.json")]
    [InlineData("a/b", "a/b")]
    [InlineData("a//b", "a/%/b")]
    [InlineData("", "%")]
    [InlineData("a+b%", "a%2Bb%25")]
    [InlineData("../x", "%2E%2E/x")]
    [InlineData("a..b", "a.%2Eb")]
    [InlineData("a.", "a%2E")]
    [InlineData("nul.json", "nu%6C.json")]
    [InlineData("CON", "CO%4E")]
    [InlineData("é😀", "%C3%A9%F0%9F%98%80")]
    [InlineData("a\\b\0", "a%5Cb%00")]
    public void Escape_AnyText_GivesAName(string text, string name)
    {
        Assert.Equal(name, ObjectName.Escape(text));
        Assert.True(ObjectName.IsValid(name));
    }

    [Fact]
    public void Escape_HalfASurrogatePair_IsRefused() =>
        Assert.Equal(StoreError.BadName, Assert.Throws<StoreException>(() => ObjectName.Escape("a\ud800")).Error);

    [Fact]
    public void Escape_AlwaysANameAndNeverTwoAlike()
    {
        // Short texts over few, awkward characters meet often enough to show a collision.
        Gen<string> awkward = Gen.Char["a./%2EnulNUL+é"].Array[0, 8].Select(chars => new string(chars));
        Gen.Select(awkward, awkward).Sample((first, second) =>
        {
            string name = ObjectName.Escape(first);
            return ObjectName.IsValid(name) && (first == second) == (name == ObjectName.Escape(second));
        }, iter: 100_000);
    }

    [Fact]
    public void IsValid_LengthsAreBounded()
    {
        string part = new('a', ObjectName.MaxPartLength);

        Assert.True(ObjectName.IsValid(part));
        Assert.False(ObjectName.IsValid(part + "a"));
        Assert.True(ObjectName.IsValid(string.Join('/', Enumerable.Repeat(part, 4))));
        Assert.False(ObjectName.IsValid(string.Join('/', Enumerable.Repeat(part, 5))));
        Assert.False(ObjectName.IsValid(null));
    }
}
