using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using TinyLlm.Tests;

namespace TinyLlm.Host.Tests.Management;

/// <summary>Foreign signatures over HTTP: keys, policy, and what a version's details say.</summary>
public sealed class TrustRoutesTests(TestHostFixture fixture) : IClassFixture<TestHostFixture>, IDisposable
{
    private readonly ForeignSigner _signer = new();

    [Fact]
    public async Task Details_OfAnUpload_TellWhoseSignatureItHas()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("trusting");
        await TestHost.PushAsync(user, "plain");
        await TestHost.PushAsync(user, "before", Signed());
        using HttpResponseMessage added = await user.PostAsJsonAsync("/api/me/trust/keys", new { name = "upstream", public_key = _signer.PublicKey });
        Assert.Equal((HttpStatusCode.Created, _signer.Id), (added.StatusCode, (await TestHost.Json(added)).GetProperty("id").GetString()));
        await TestHost.PushAsync(user, "after", Signed());

        Assert.Equal(("none", null), await SignatureAsync(user, "plain"));
        Assert.Equal(("untrusted", _signer.Id), await SignatureAsync(user, "before"));
        Assert.Equal(("trusted", _signer.Id), await SignatureAsync(user, "after"));
        // The file is the owner's as it came; the host's own signature is another.
        Assert.Equal(
            _signer.Id,
            JsonDocument.Parse(await user.GetStringAsync("/api/models/trusting/after/versions/1/files/model.sig")).RootElement
                .GetProperty("verificationMaterial").GetProperty("publicKey").GetProperty("hint").GetString());

        Assert.Equal(HttpStatusCode.NoContent, (await user.DeleteAsync($"/api/me/trust/keys/{_signer.Id}")).StatusCode);
        Assert.Equal(("untrusted", _signer.Id), await SignatureAsync(user, "after"));
        Assert.Equal(HttpStatusCode.NotFound, (await user.DeleteAsync($"/api/me/trust/keys/{_signer.Id}")).StatusCode);
    }

    [Fact]
    public async Task Commit_SignatureThatDoesNotFit_Is422WithItsCodeAndNothingStays()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("bending");
        Dictionary<string, byte[]> changed = Signed();
        changed["model.safetensors"] = TinyModel.Weights(seed: 2);
        await RefuseAsync(user, changed, "signature_file_changed", "model.safetensors");
        await RefuseAsync(user, new(Signed()) { ["model.sig"] = "{}"u8.ToArray() }, "signature_malformed", "model.sig");

        using HttpResponseMessage put = await user.PutAsJsonAsync("/api/me/trust", new { require_trusted_signature = true });
        Assert.True((await TestHost.Json(put)).GetProperty("require_trusted_signature").GetBoolean());
        await RefuseAsync(user, TinyModel.Files(), "signature_missing", "model.sig");
        await RefuseAsync(user, Signed(), "signature_untrusted", "model.sig");
        Assert.Empty((await TestHost.Json(await user.GetAsync("/api/models"))).GetProperty("models").EnumerateArray());
        Assert.Equal(0, (await TestHost.Json(await user.GetAsync("/api/me"))).GetProperty("stored_bytes").GetInt64());
    }

    [Fact]
    public async Task Trust_ByATokenForSomeModels_IsRefused()
    {
        using HttpClient user = await fixture.Host.CreateUserAsync("limiting");
        await TestHost.PushAsync(user, "m");
        JsonElement made = await TestHost.Json(await user.PostAsJsonAsync("/api/tokens", new { name = "t", models = new[] { "m" } }));
        using HttpClient limited = fixture.Host.Client(made.GetProperty("token").GetString());

        Assert.Equal(HttpStatusCode.Forbidden, (await limited.PutAsJsonAsync("/api/me/trust", new { require_trusted_signature = true })).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await limited.PostAsJsonAsync("/api/me/trust/keys", new { name = "k", public_key = _signer.PublicKey })).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await limited.DeleteAsync($"/api/me/trust/keys/{_signer.Id}")).StatusCode);
        JsonElement trust = await TestHost.Json(await user.GetAsync("/api/me/trust"));
        Assert.Equal((false, 0), (trust.GetProperty("require_trusted_signature").GetBoolean(), trust.GetProperty("keys").GetArrayLength()));
    }

    [Theory]
    [InlineData("""{"name":"","public_key":"KEY"}""")]
    [InlineData("""{"name":"a\u0007","public_key":"KEY"}""")]
    [InlineData("""{"name":"a","public_key":"-----BEGIN PUBLIC KEY-----"}""")]
    [InlineData("""{"name":"a","public_key":"PRIVATE"}""")]
    [InlineData("""{"name":"a","public_key":"LONG"}""")]
    [InlineData("""{"name":"a"}""")]
    [InlineData("""{"name":"a","public_key":"KEY","id":"x"}""")]
    public async Task AddKey_Malformed_Is400(string body)
    {
        using HttpClient user = await fixture.Host.CreateUserAsync($"mal{Guid.NewGuid():N}");
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string sent = body
            .Replace("KEY\"", $"{JsonEncodedText.Encode(_signer.PublicKey)}\"", StringComparison.Ordinal)
            .Replace("PRIVATE", JsonEncodedText.Encode(key.ExportPkcs8PrivateKeyPem()).ToString(), StringComparison.Ordinal)
            .Replace("LONG", JsonEncodedText.Encode(_signer.PublicKey + new string(' ', 5_000)).ToString(), StringComparison.Ordinal);
        using HttpResponseMessage response = await user.PostAsync("/api/me/trust/keys", new StringContent(sent, Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(0, (await TestHost.Json(await user.GetAsync("/api/me/trust"))).GetProperty("keys").GetArrayLength());
    }

    public void Dispose() => _signer.Dispose();

    private Dictionary<string, byte[]> Signed()
    {
        Dictionary<string, byte[]> files = TinyModel.Files();
        return new(files) { ["model.sig"] = _signer.Sign(files) };
    }

    private static async Task<(string?, string?)> SignatureAsync(HttpClient user, string model)
    {
        JsonElement signature = (await TestHost.Json(await user.GetAsync($"/api/models/trusting/{model}"))).GetProperty("model").GetProperty("signature");
        return (signature.GetProperty("state").GetString(), signature.GetProperty("key").GetString());
    }

    private static async Task RefuseAsync(HttpClient user, Dictionary<string, byte[]> files, string code, string file)
    {
        using HttpResponseMessage response = await TestHost.TryPushAsync(user, "m", files);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        JsonElement problem = await TestHost.Json(response);
        Assert.Equal((code, file), (problem.GetProperty("code").GetString(), problem.GetProperty("file").GetString()));
    }
}
