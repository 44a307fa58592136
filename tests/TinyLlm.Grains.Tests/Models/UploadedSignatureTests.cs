using System.Security.Cryptography;
using System.Text;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests.Models;

/// <summary>What a signature that came with a model's files is found to be worth, and every way in which it is refused.</summary>
public sealed class UploadedSignatureTests : IDisposable
{
    private static readonly Dictionary<string, byte[]> s_model = new() { ["config.json"] = "{}"u8.ToArray(), ["model.safetensors"] = [1, 2, 3] };

    private readonly TempFolder _folder = new();
    private readonly ForeignSigner _signer = new();
    private readonly DataFolder _data;

    public UploadedSignatureTests() => _data = DataFolder.Open(_folder.FullPath, TimeProvider.System);

    [Fact]
    public async Task Verify_NoSignature_IsNull() => Assert.Null(await VerifyAsync(null, _signer.PublicKey));

    [Fact]
    public async Task Verify_ByATrustedKey_NamesIt()
    {
        using ForeignSigner other = new(), large = new(ECCurve.NamedCurves.nistP384);

        Assert.Equal(new SignatureFacts { Key = _signer.Id, IsVerified = true }, await VerifyAsync(_signer.Sign(s_model), other.PublicKey, _signer.PublicKey));
        Assert.Equal(new SignatureFacts { Key = large.Id, IsVerified = true }, await VerifyAsync(large.Sign(s_model), _signer.PublicKey, large.PublicKey));
        // Another tool's name for the key, and none.
        Assert.Equal(new SignatureFacts { Key = _signer.Id, IsVerified = true }, await VerifyAsync(_signer.Sign(s_model, "theirs"), other.PublicKey, _signer.PublicKey));
        Assert.Equal(new SignatureFacts { Key = _signer.Id, IsVerified = true }, await VerifyAsync(_signer.Sign(s_model, ""), other.PublicKey, _signer.PublicKey));
    }

    [Fact]
    public async Task Verify_ByAnybodyElse_IsUnverified()
    {
        using ForeignSigner other = new();

        Assert.Equal(new SignatureFacts { Key = _signer.Id, IsVerified = false }, await VerifyAsync(_signer.Sign(s_model), other.PublicKey));
        Assert.Equal(new SignatureFacts { Key = _signer.Id, IsVerified = false }, await VerifyAsync(_signer.Sign(s_model)));
        Assert.Equal(new SignatureFacts(), await VerifyAsync(_signer.Sign(s_model, hint: new string('h', 100_000)), other.PublicKey)); // is not kept
        Assert.Equal(new SignatureFacts(), await VerifyAsync(_signer.Sign(s_model, byCertificate: true), _signer.PublicKey));
    }

    [Fact]
    public async Task Verify_OtherFilesThanSigned_IsRefusedByName()
    {
        Dictionary<string, byte[]> changed = new(s_model) { ["model.safetensors"] = [1, 2, 4] };
        Dictionary<string, byte[]> more = new(s_model) { ["README.md"] = [1] };
        Dictionary<string, byte[]> fewer = new() { ["config.json"] = s_model["config.json"] };
        using ForeignSigner careless = new() { IgnoredPaths = ["model.safetensors"] };

        await RefuseAsync("signature_file_changed", "model.safetensors", _signer.Sign(changed));
        await RefuseAsync("signature_file_missing", "README.md", _signer.Sign(more));
        await RefuseAsync("signature_file_not_signed", "model.safetensors", _signer.Sign(fewer));
        await RefuseAsync("signature_file_not_signed", "model.safetensors", careless.Sign(fewer), careless.PublicKey);
        await RefuseAsync("signature_file_not_signed", "model.safetensors", careless.Sign(s_model), careless.PublicKey);
    }

    [Fact]
    public async Task Verify_NotASignatureOrAForgedOne_IsRefused()
    {
        using ForeignSigner other = new(), shards = new() { Method = "shards" }, endless = new() { IgnoredPaths = [.. Enumerable.Range(0, 1001).Select(i => $"{i}")] };

        await RefuseAsync("signature_malformed", "model.sig", "{}"u8.ToArray());
        await RefuseAsync("signature_malformed", "model.sig", []);
        await RefuseAsync("signature_malformed", "model.sig", endless.Sign(s_model));
        await RefuseAsync("signature_unsupported", "model.sig", shards.Sign(s_model));
        await RefuseAsync("signature_not_authentic", "model.sig", other.Sign(s_model, hint: _signer.Id), _signer.PublicKey);
        await RefuseAsync("file_too_large", "model.sig", new byte[SignatureBundle.MaxBytes + 1]);
        // One bit of the signed statement: the root no longer fits its files.
        string bundle = Encoding.UTF8.GetString(_signer.Sign(s_model));
        string payload = System.Text.Json.JsonDocument.Parse(bundle).RootElement.GetProperty("dsseEnvelope").GetProperty("payload").GetString()!;
        string bent = Encoding.UTF8.GetString(Convert.FromBase64String(payload)).Replace("\"config.json\"", "\"Config.json\"", StringComparison.Ordinal);
        await RefuseAsync("signature_file_missing", "Config.json", Encoding.UTF8.GetBytes(bundle.Replace(payload, Convert.ToBase64String(Encoding.UTF8.GetBytes(bent)), StringComparison.Ordinal)));
    }

    public void Dispose()
    {
        _signer.Dispose();
        _data.Dispose();
        _folder.Dispose();
    }

    private async Task RefuseAsync(string code, string file, byte[] signature, params string[] trusted)
    {
        RequestException refusal = await Refusal.OfAsync(RequestError.ModelInvalid, () => VerifyAsync(signature, trusted));
        Assert.Equal((code, file), (refusal.Detail, refusal.FileName));
    }

    /// <summary>Stores the model as an upload would, seals it, and verifies.</summary>
    private async Task<SignatureFacts?> VerifyAsync(byte[]? signature, params string[] trusted)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        ModelFiles files = new(_data.Objects);
        UserId owner = UserId.New();
        VersionId version = VersionId.New();
        Dictionary<string, byte[]> stored = new(s_model);
        if (signature is not null) stored["model.sig"] = signature;
        foreach ((string name, byte[] bytes) in stored)
            await files.AppendAsync(owner, version, ModelFileName.Parse(name), 0, new MemoryStream(bytes), long.MaxValue, null, null, cancel);
        ModelManifest manifest = await files.SealAsync(owner, version, null, cancel);
        return await UploadedSignature.VerifyAsync(new VersionFiles(files, owner, version, null), manifest, [.. trusted], cancel);
    }
}
