using System.Text.Json;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace TinyLlm.Storage.Tests;

public sealed class IdentifierTests
{
    [Fact]
    public void New_IsBase62AndNeverTwiceTheSame()
    {
        HashSet<UserId> users = [.. Enumerable.Range(0, 1_000).Select(_ => UserId.New())];
        HashSet<VersionId> versions = [.. Enumerable.Range(0, 1_000).Select(_ => VersionId.New())];

        Assert.Equal(1_000, users.Count);
        Assert.Equal(1_000, versions.Count);
        Assert.All(users, id => Assert.Matches("^[0-9A-Za-z]{10}$", id.Value));
        Assert.All(versions, id => Assert.Matches("^[0-9A-Za-z]{22}$", id.Value));
    }

    /// <summary>Bytes modulo 62 would give the first eight characters 25% more often than the rest; 62 bins of 10,000 draws stay within 6 sigma.</summary>
    [Fact]
    public void New_DrawsEveryCharacterAlike()
    {
        int[] counts = new int[128];
        for (int i = 0; i < 62_000; i++)
        {
            foreach (char c in UserId.New().Value) counts[c]++;
        }
        Assert.All(counts.Where(count => count > 0), count => Assert.InRange(count, 9_400, 10_600));
        Assert.Equal(62, counts.Count(count => count > 0));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("012345678")]
    [InlineData("01234567890")]
    [InlineData("012345678-")]
    [InlineData("01234567/9")]
    [InlineData("012345678é")]
    public void TryParse_NotAnId_IsRefused(string? text)
    {
        Assert.False(UserId.TryParse(text, out _));
        Assert.False(VersionId.TryParse(text, out _));
        Assert.Throws<FormatException>(() => UserId.Parse(text!));
        Assert.Throws<FormatException>(() => VersionId.Parse(text!));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("Alice-B_2.0")]
    [InlineData("console")]
    [InlineData("com10")]
    [InlineData("a.con")]
    [InlineData("123456789012345678901234567890123456789012345678901234567890123")]
    public void EntityName_ByTheRules_IsAName(string text)
    {
        Assert.True(EntityName.TryParse(text, out EntityName name));
        Assert.Equal(text, name.Value);
        Assert.Equal(text.ToLowerInvariant(), name.Folded);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".a")]
    [InlineData("-a")]
    [InlineData("_a")]
    [InlineData("a.")]
    [InlineData("a..b")]
    [InlineData("..")]
    [InlineData("a b")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a%2fb")]
    [InlineData("a\n")]
    [InlineData("é")]
    [InlineData("\u0130stanbul")]
    [InlineData("con")]
    [InlineData("NUL")]
    [InlineData("nul.txt")]
    [InlineData("Com1.tar.gz")]
    [InlineData("lpt9")]
    [InlineData("1234567890123456789012345678901234567890123456789012345678901234")]
    public void EntityName_AgainstTheRules_IsRefused(string? text)
    {
        Assert.False(EntityName.TryParse(text, out _));
        Assert.Throws<FormatException>(() => EntityName.Parse(text!));
    }

    [Theory]
    [InlineData("config.json", ModelFileKind.Configuration)]
    [InlineData("generation_config.json", ModelFileKind.Configuration)]
    [InlineData("adapter_config.json", ModelFileKind.Configuration)]
    [InlineData("model.safetensors", ModelFileKind.Weights)]
    [InlineData("model-00001-of-00002.safetensors", ModelFileKind.Weights)]
    [InlineData("adapter_model.safetensors", ModelFileKind.Weights)]
    [InlineData("model.safetensors.index.json", ModelFileKind.WeightsIndex)]
    [InlineData("tokenizer.json", ModelFileKind.Tokenizer)]
    [InlineData("tokenizer.model", ModelFileKind.Tokenizer)]
    [InlineData("tokenizer_config.json", ModelFileKind.Tokenizer)]
    [InlineData("special_tokens_map.json", ModelFileKind.Tokenizer)]
    [InlineData("added_tokens.json", ModelFileKind.Tokenizer)]
    [InlineData("vocab.json", ModelFileKind.Tokenizer)]
    [InlineData("merges.txt", ModelFileKind.Tokenizer)]
    [InlineData("chat_template.jinja", ModelFileKind.ChatTemplate)]
    [InlineData("README.md", ModelFileKind.Readme)]
    [InlineData("model.sig", ModelFileKind.Signature)]
    public void ModelFileName_OfTheList_HasItsKind(string text, ModelFileKind kind)
    {
        Assert.True(ModelFileName.TryParse(text, out ModelFileName name));
        Assert.Equal(kind, name.Kind);
        Assert.Equal(kind != ModelFileKind.Weights, ModelFileName.KnownNames.Contains(text));
        Assert.True(ObjectName.IsValid(text));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Config.json")]
    [InlineData("readme.md")]
    [InlineData("manifest.json")]
    [InlineData("pytorch_model.bin")]
    [InlineData("model.safetensors.zip")]
    [InlineData("model.SafeTensors")]
    [InlineData(".safetensors")]
    [InlineData(".hidden.safetensors")]
    [InlineData("a/b.safetensors")]
    [InlineData("..\\b.safetensors")]
    [InlineData("a..safetensors")]
    [InlineData("a b.safetensors")]
    [InlineData("con.safetensors")]
    [InlineData("a%2fb.safetensors")]
    [InlineData("model.safetensors\0")]
    [InlineData("model.safetensors\n")]
    public void ModelFileName_OffTheList_IsRefused(string? text) => Assert.False(ModelFileName.TryParse(text, out _));

    [Fact]
    public void ModelFileName_LengthIsBounded()
    {
        string longest = new string('a', ModelFileName.MaxLength - ".safetensors".Length) + ".safetensors";

        Assert.True(ModelFileName.TryParse(longest, out _));
        Assert.False(ModelFileName.TryParse("a" + longest, out _));
    }

    [Fact]
    public void AnyName_OfAnyText_NeverThrows() => Gen.String.Sample(text =>
    {
        if (EntityName.TryParse(text, out EntityName name)) Assert.True(ObjectName.IsValid(name.Folded));
        if (ModelFileName.TryParse(text, out ModelFileName file)) Assert.True(ObjectName.IsValid(file.Value));
        _ = UserId.TryParse(text, out _) || VersionId.TryParse(text, out _);
    });

    [Fact]
    public void Json_OfEveryValue_IsItsText()
    {
        Dictionary<EntityName, Sample> samples = new() { [EntityName.Parse("Alice")] = Sample.Make() };
        string json = JsonSerializer.Serialize(samples);

        Dictionary<EntityName, Sample>? read = JsonSerializer.Deserialize<Dictionary<EntityName, Sample>>(json);

        Assert.StartsWith("{\"Alice\":{\"User\":\"", json, StringComparison.Ordinal);
        Assert.Equal(samples, read);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("1")]
    [InlineData("\"short\"")]
    [InlineData("{}")]
    public void Json_NotAnId_IsRefused(string json) => Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<UserId>(json));

    [Fact]
    public void Orleans_OfEveryValue_RoundTrips()
    {
        using ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        Serializer serializer = services.GetRequiredService<Serializer>();
        Sample sample = Sample.Make();

        Assert.Equal(sample.User, serializer.Deserialize<UserId>(serializer.SerializeToArray(sample.User)));
        Assert.Equal(sample.Version, serializer.Deserialize<VersionId>(serializer.SerializeToArray(sample.Version)));
        Assert.Equal(sample.File, serializer.Deserialize<ModelFileName>(serializer.SerializeToArray(sample.File)));
        Assert.Equal(sample.Hash, serializer.Deserialize<TokenHash>(serializer.SerializeToArray(sample.Hash)));
        Assert.Equal(EntityName.Parse("Bob"), serializer.Deserialize<EntityName>(serializer.SerializeToArray(EntityName.Parse("Bob"))));
    }

    [Fact]
    public void Orleans_OfAStoreException_KeepsWhatItTells()
    {
        using ServiceProvider services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        Serializer serializer = services.GetRequiredService<Serializer>();
        StoreException error = new(StoreError.OffsetMismatch, "elsewhere", new IOException("cause")) { StoredETag = "tag", DurableLength = 5 };

        StoreException read = Assert.IsType<StoreException>(serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(error)));

        Assert.Equal(StoreError.OffsetMismatch, read.Error);
        Assert.Equal("elsewhere", read.Message);
        Assert.Equal("cause", Assert.IsType<IOException>(read.InnerException).Message);
        Assert.Equal("tag", read.StoredETag);
        Assert.Equal(5, read.DurableLength);
    }

    private sealed record Sample(UserId User, VersionId Version, ModelFileName File, TokenHash Hash)
    {
        public static Sample Make() => new(
            UserId.New(), VersionId.New(), ModelFileName.Parse("config.json"), TokenHash.Compute("secret", new byte[TokenHash.KeyBytes]));
    }
}
