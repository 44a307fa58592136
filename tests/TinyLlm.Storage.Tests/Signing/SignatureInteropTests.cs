using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace TinyLlm.Storage.Tests.Signing;

/// <summary>Signatures that others made verify here, and ours verify with others: another implementation of the format, Sigstore's own library, and openssl over the bytes alone.</summary>
public sealed class SignatureInteropTests : IDisposable
{
    private const string Script = "Signing/model-signing.mjs";

    private static readonly Dictionary<string, string> Files = new()
    {
        ["config.json"] = Convert.ToHexStringLower(SHA256.HashData("one"u8)),
        ["model.safetensors"] = Convert.ToHexStringLower(SHA256.HashData("two"u8)),
        ["sub/vocab.json"] = Convert.ToHexStringLower(SHA256.HashData("three"u8)),
    };

    private readonly TemporaryFolder folder = new();

    private static SignedFile[] Present => [.. Files.Select(file => new SignedFile(file.Key, Digest(file.Value)))];

    [Theory]
    [InlineData("P-256", false)]
    [InlineData("P-256", true)]
    [InlineData("P-384", false)]
    [InlineData("P-521", false)]
    public void Verify_BundleOfAnotherImplementation_GivesItsFiles(string curve, bool pretty)
    {
        (byte[] bundle, VerifyingKey key) = Sign(curve, pretty);

        ModelStatement statement = SignatureBundle.Parse(bundle).Verify(key);

        statement.RequireFiles(Present);
        statement.RequireFiles([.. Present, new SignedFile(".git/HEAD", Digest(new string('0', 64))), new SignedFile("model.sig", Digest(new string('0', 64)))]);
        Assert.Equal("sample", statement.Name);
        Assert.Equal(SignatureError.OtherKey, Refusal(() => SignatureBundle.Parse(bundle).Verify(Sign(curve, pretty).Key)).Error);
    }

    [Fact]
    public void RequireFiles_ChangedMissingOrUnsigned_NamesTheFile()
    {
        (byte[] bundle, VerifyingKey key) = Sign("P-256", pretty: false);
        ModelStatement statement = SignatureBundle.Parse(bundle).Verify(key);
        SignedFile other = Present[0] with { Sha256 = Digest(new string('1', 64)) };

        AssertRefused(SignatureError.FileChanged, "config.json", () => statement.RequireFiles([other, .. Present[1..]]));
        AssertRefused(SignatureError.FileMissing, "config.json", () => statement.RequireFiles(Present[1..]));
        AssertRefused(SignatureError.FileNotSigned, "extra.bin", () => statement.RequireFiles([.. Present, other with { Name = "extra.bin" }]));
        // A name that only begins like an ignored one is not ignored.
        AssertRefused(SignatureError.FileNotSigned, ".gitmodules", () => statement.RequireFiles([.. Present, other with { Name = ".gitmodules" }]));
    }

    [Fact]
    public void Sign_OurBundle_VerifiesInAnotherImplementation()
    {
        using SigningKey key = SigningKey.Parse(SigningKey.NewText());
        ModelManifest manifest = Manifest();

        string bundle = Encoding.UTF8.GetString(SignedManifest.Sign("alice/stories", manifest, key));
        JsonElement answer = NodeScript.Ask(Script, new { verify = new { bundle, public_key = key.PublicKey.Pem } });

        Assert.False(answer.TryGetProperty("error", out JsonElement error), error.ToString());
        Assert.Equal(
            manifest.Files.Where(file => file.Name.Value != "model.sig").Select(file => $"{file.Name} {file.Sha256.Hex}"),
            answer.GetProperty("files").EnumerateObject().Select(file => $"{file.Name} {file.Value.GetString()}"));
        Assert.Equal([".git", ".gitattributes", ".github", ".gitignore"], answer.GetProperty("ignore").EnumerateArray().Select(path => path.GetString()));
    }

    [Fact]
    public void Sign_OurBundle_VerifiesWithSigstoresOwnLibrary()
    {
        using SigningKey key = SigningKey.Parse(SigningKey.NewText()), other = SigningKey.Parse(SigningKey.NewText());
        string bundle = Encoding.UTF8.GetString(SignedManifest.Sign("stories", Manifest(), key));
        string payload = JsonDocument.Parse(bundle).RootElement.GetProperty("dsseEnvelope").GetProperty("payload").GetString()!;
        string bent = Convert.ToBase64String(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Convert.FromBase64String(payload)).Replace("\"stories\"", "\"Stories\"", StringComparison.Ordinal)));

        Assert.Equal(payload, AskSigstore(bundle, key.PublicKey.Hint, key).GetProperty("payload").GetString());
        Assert.Equal("SIGNATURE_ERROR", AskSigstore(bundle.Replace(payload, bent, StringComparison.Ordinal), key.PublicKey.Hint, key).GetProperty("error").GetString());
        Assert.Equal("SIGNATURE_ERROR", AskSigstore(bundle, key.PublicKey.Hint, other).GetProperty("error").GetString());
        Assert.Equal("PUBLIC_KEY_ERROR", AskSigstore(bundle, other.PublicKey.Hint, other).GetProperty("error").GetString());
    }

    [Fact]
    public void Sign_OurSignature_VerifiesWithOpenSslOverTheSameBytes()
    {
        using SigningKey key = SigningKey.Parse(SigningKey.NewText());
        JsonElement envelope = JsonDocument.Parse(SignedManifest.Sign("stories", Manifest(), key)).RootElement.GetProperty("dsseEnvelope");
        byte[] payload = envelope.GetProperty("payload").GetBytesFromBase64();
        byte[] signature = envelope.GetProperty("signatures")[0].GetProperty("sig").GetBytesFromBase64();
        byte[] signed = [.. Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {payload.Length} "), .. payload];

        Assert.Equal("Verified OK", OpenSslVerify(key.PublicKey.Pem, "-sha256", signed, signature));
        signed[^1] ^= 1;
        Assert.NotEqual("Verified OK", OpenSslVerify(key.PublicKey.Pem, "-sha256", signed, signature));
    }

    [Theory]
    [InlineData("prime256v1", "-sha256")]
    [InlineData("secp384r1", "-sha384")]
    [InlineData("secp521r1", "-sha512")]
    public void Verifies_SignatureOfOpenSsl_IsTrueForTheSameBytesOnly(string curve, string hash)
    {
        File.WriteAllText(folder["data"], "the bytes");
        OpenSsl("ecparam", "-name", curve, "-genkey", "-noout", "-out", folder["private.pem"]);
        OpenSsl("ec", "-in", folder["private.pem"], "-pubout", "-out", folder["public.pem"]);
        OpenSsl("dgst", hash, "-sign", folder["private.pem"], "-out", folder["signature"], folder["data"]);
        string pem = File.ReadAllText(folder["public.pem"]);

        Assert.True(VerifyingKey.TryParsePem(pem, out VerifyingKey? key));

        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(pem))), key.Hint); // openssl's PEM ends with a newline
        Assert.True(key.Verifies("the bytes"u8, File.ReadAllBytes(folder["signature"])));
        Assert.False(key.Verifies("the bytez"u8, File.ReadAllBytes(folder["signature"])));
        Assert.False(VerifyingKey.TryParsePem(File.ReadAllText(folder["private.pem"]), out _));
    }

    [Fact]
    public void TryParsePem_OtherCurvesAndAlgorithms_IsFalse()
    {
        OpenSsl("ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", folder["k1.pem"]);
        OpenSsl("ec", "-in", folder["k1.pem"], "-pubout", "-out", folder["k1.pub"]);
        using RSA rsa = RSA.Create(2048);

        Assert.False(VerifyingKey.TryParsePem(File.ReadAllText(folder["k1.pub"]), out _));
        Assert.False(VerifyingKey.TryParsePem(rsa.ExportSubjectPublicKeyInfoPem(), out _));
        Assert.False(VerifyingKey.TryParsePem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", out _));
        Assert.False(VerifyingKey.TryParsePem(null, out _));
    }

    [Fact]
    public void FindSigner_AmongTrustedKeys_NamesIt()
    {
        (byte[] bundle, VerifyingKey key) = Sign("P-256", pretty: false);
        VerifyingKey other = Sign("P-384", pretty: false).Key;
        SignatureBundle parsed = SignatureBundle.Parse(bundle);

        Assert.Equal(key, parsed.FindSigner([other, key]));
        Assert.Null(parsed.FindSigner([other]));
        // The bundle claims a key that did not make it.
        string forged = Encoding.UTF8.GetString(bundle).Replace(key.Hint, other.Hint, StringComparison.Ordinal);
        Assert.Equal(SignatureError.NotAuthentic, Refusal(() => SignatureBundle.Parse(Encoding.UTF8.GetBytes(forged)).FindSigner([other])).Error);
    }

    public void Dispose() => folder.Dispose();

    private static JsonElement AskSigstore(string bundle, string hint, SigningKey key) =>
        NodeScript.AskPackage("@sigstore/verify", "sigstore-verify.mjs", new { bundle, keys = new Dictionary<string, string> { [hint] = key.PublicKey.Pem } });

    private static (byte[] Bundle, VerifyingKey Key) Sign(string curve, bool pretty)
    {
        JsonElement answer = NodeScript.Ask(Script, new { sign = new { name = "sample", files = Files, ignore = (string[])["model.sig", ".git", ".gitignore"], curve, pretty } });
        Assert.True(VerifyingKey.TryParsePem(answer.GetProperty("public_key").GetString(), out VerifyingKey? key));
        return (Encoding.UTF8.GetBytes(answer.GetProperty("bundle").GetString()!), key);
    }

    private static ModelManifest Manifest() => ModelManifest.Create(VersionId.New(),
    [
        new ManifestFile(ModelFileName.Parse("config.json"), 3, Digest(Files["config.json"]), new string('a', 64)),
        new ManifestFile(ModelFileName.Parse("model.safetensors"), 3, Digest(Files["model.safetensors"]), new string('b', 64)),
        new ManifestFile(ModelFileName.Parse("model.sig"), 3, Digest(Files["sub/vocab.json"])),
    ]);

    private static ContentDigest Digest(string hex) => ContentDigest.TryParseHex(hex, out ContentDigest? digest) ? digest : throw new FormatException(hex);

    private static SignatureException Refusal(Action action) => Assert.Throws<SignatureException>(action);

    private static void AssertRefused(SignatureError error, string file, Action action)
    {
        SignatureException refusal = Refusal(action);
        Assert.Equal((error, file), (refusal.Error, refusal.FileName));
    }

    private string OpenSslVerify(string publicKey, string hash, byte[] signed, byte[] signature)
    {
        File.WriteAllText(folder["public.pem"], publicKey);
        File.WriteAllBytes(folder["signed"], signed);
        File.WriteAllBytes(folder["signature"], signature);
        return OpenSsl("dgst", hash, "-verify", folder["public.pem"], "-signature", folder["signature"], folder["signed"]);
    }

    private static string OpenSsl(params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return output.Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("openssl can't be started: install it to compare with it");
            throw;
        }
    }
}
