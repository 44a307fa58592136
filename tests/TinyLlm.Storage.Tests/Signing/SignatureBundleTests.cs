using System.Text;
using System.Text.Json.Nodes;

namespace TinyLlm.Storage.Tests.Signing;

/// <summary>Every way in which a bundle or a signed version can be wrong.</summary>
public sealed class SignatureBundleTests
{
    private static readonly SigningKey Key = SigningKey.Parse(SigningKey.NewText());
    private static readonly ModelManifest Manifest = ModelManifest.Create(
        VersionId.New(), [new ManifestFile(ModelFileName.Parse("config.json"), 3, new ContentDigest(new byte[32]), new string('a', 64))]);

    public static TheoryData<string, string> BrokenBundles => new()
    {
        { "mediaType", "application/vnd.dev.sigstore.bundle+json;version=0.2" },
        { "dsseEnvelope/payloadType", "text/plain" },
        { "dsseEnvelope/payload", "%%" },
        { "dsseEnvelope/signatures/0/sig", "%%" },
    };

    [Theory]
    [MemberData(nameof(BrokenBundles))]
    public void Parse_FieldThatIsNotTheFormats_IsMalformed(string path, string value)
    {
        JsonNode bundle = JsonNode.Parse(Sign())!;
        JsonNode at = path.Split('/')[..^1].Aggregate(bundle, (node, name) => int.TryParse(name, out int index) ? node[index]! : node[name]!);
        at[path.Split('/')[^1]] = value;

        Assert.Equal(SignatureError.Malformed, Refusal(() => Parse(bundle)).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"mediaType\":1}")]
    [InlineData("\u0000")]
    public void Parse_NoBundle_IsMalformed(string text) =>
        Assert.Equal(SignatureError.Malformed, Refusal(() => SignatureBundle.Parse(Encoding.UTF8.GetBytes(text))).Error);

    [Fact]
    public void Parse_TooLong_IsMalformed() =>
        Assert.Equal(SignatureError.Malformed, Refusal(() => SignatureBundle.Parse(new byte[SignatureBundle.MaxBytes + 1])).Error);

    [Fact]
    public void Verify_MadeByACertificate_IsUnsupported()
    {
        JsonNode bundle = JsonNode.Parse(Sign())!;
        JsonObject material = bundle["verificationMaterial"]!.AsObject();
        material.Remove("publicKey");
        material["x509CertificateChain"] = new JsonObject { ["certificates"] = new JsonArray() };

        Assert.Equal(SignatureError.Unsupported, Refusal(() => Parse(bundle).Verify(Key.PublicKey)).Error);
        Assert.Null(Parse(bundle).FindSigner([Key.PublicKey]));
    }

    [Theory]
    [InlineData("\"files\"", "\"shards\"", SignatureError.Unsupported)]
    [InlineData("\"sha256\",\"allow", "\"blake3\",\"allow", SignatureError.Unsupported)]
    [InlineData("signature/v1.0", "Digests/v0.1", SignatureError.Unsupported)]
    [InlineData("signature/v1.0", "signature/v9", SignatureError.Malformed)]
    [InlineData("Statement/v1", "Statement/v0.1", SignatureError.Malformed)]
    [InlineData("\".git\"", "\".\"", SignatureError.Malformed)]
    [InlineData("000000\"}]", "000001\"}]", SignatureError.Inconsistent)]
    public void UnverifiedStatement_ThatBreaksARule_IsRefused(string text, string instead, SignatureError expected)
    {
        JsonNode bundle = JsonNode.Parse(Sign())!;
        string payload = Encoding.UTF8.GetString(Convert.FromBase64String(bundle["dsseEnvelope"]!["payload"]!.GetValue<string>()));
        Assert.Contains(text, payload, StringComparison.Ordinal);
        bundle["dsseEnvelope"]!["payload"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(payload.Replace(text, instead, StringComparison.Ordinal)));

        Assert.Equal(expected, Refusal(() => Parse(bundle).UnverifiedStatement()).Error);
        Assert.Equal(SignatureError.NotAuthentic, Refusal(() => Parse(bundle).Verify(Key.PublicKey)).Error);
    }

    [Fact]
    public void Require_OtherManifestSignatureKeyOrCommitment_IsDamaged()
    {
        byte[] bundle = Sign();
        string digest = SignedManifest.DigestOf(bundle);
        ModelManifest otherCommitment = ModelManifest.Create(Manifest.Version, [Manifest.Files[0] with { Commitment = new string('b', 64) }]);
        ModelManifest noCommitment = ModelManifest.Create(Manifest.Version, [Manifest.Files[0] with { Commitment = null }]);

        SignedManifest.Require(Manifest, Manifest.Digest.Hex, bundle, digest, Key.PublicKey);
        Damaged(() => SignedManifest.Require(Manifest, new string('0', 64), bundle, digest, Key.PublicKey));
        Damaged(() => SignedManifest.Require(Manifest, Manifest.Digest.Hex, bundle, new string('0', 64), Key.PublicKey));
        Damaged(() => SignedManifest.Require(Manifest, Manifest.Digest.Hex, bundle, digest, SigningKey.Parse(SigningKey.NewText()).PublicKey));
        // Even a record that was changed along with the manifest does not help: the signature names the manifest.
        Damaged(() => SignedManifest.Require(otherCommitment, otherCommitment.Digest.Hex, bundle, digest, Key.PublicKey));
        Damaged(() => SignedManifest.Require(noCommitment, noCommitment.Digest.Hex, bundle, digest, Key.PublicKey));
    }

    private static byte[] Sign() => SignedManifest.Sign("stories", Manifest, Key);

    private static SignatureBundle Parse(JsonNode bundle) => SignatureBundle.Parse(Encoding.UTF8.GetBytes(bundle.ToJsonString()));

    private static SignatureException Refusal(Action action) => Assert.Throws<SignatureException>(action);

    private static void Damaged(Action action) => Assert.Equal(StoreError.Damaged, Assert.Throws<StoreException>(action).Error);
}
