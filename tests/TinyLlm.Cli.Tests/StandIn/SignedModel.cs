using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TinyLlm.Storage;

namespace TinyLlm.Cli.Tests.StandIn;

/// <summary>A version as a host has it: files, the host's signature of them, the host's key.</summary>
internal sealed class SignedModel
{
    private readonly SigningKey key = SigningKey.Parse(SigningKey.NewText());

    public SignedModel()
    {
        ModelManifest manifest = ModelManifest.Create(VersionId.New(), Files.Select(file =>
            new ManifestFile(ModelFileName.Parse(file.Key), file.Value.Length, new ContentDigest(SHA256.HashData(file.Value)))));
        Signature = SignedManifest.Sign("alice/stories", manifest, key);
    }

    public Dictionary<string, byte[]> Files { get; } = new()
    {
        ["config.json"] = "{}"u8.ToArray(),
        ["model.safetensors"] = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 7))],
        ["tokenizer.json"] = "{\"a\":1}"u8.ToArray(),
    };

    public byte[] Signature { get; set; }

    public string PublicKey => key.PublicKey.Pem;

    /// <summary>Answers before a file is sent; true when it answered instead.</summary>
    public Func<string, HttpContext, bool> Interfere { get; set; } = (_, _) => false;

    public void Map(WebApplication app)
    {
        const string Version = "/api/models/alice/stories/versions/3";
        app.MapGet("/api/me", () => Results.Json(new { id = "alice" }));
        app.MapGet("/api/signing-key", () => Results.Json(new { id = key.PublicKey.Hint, public_key = PublicKey }));
        app.MapGet("/api/models/alice/stories", () => Results.Json(new
        {
            model = new { owner = "alice", model = "stories", version = 3 },
            files = Files.Select(file => new { name = file.Key, bytes = file.Value.Length, sha256 = Convert.ToHexStringLower(SHA256.HashData(file.Value)) }),
        }));
        app.MapGet($"{Version}/signature", () => Results.Bytes(Signature, "application/octet-stream"));
        app.MapGet(Version + "/files/{name}", (string name, HttpContext http) =>
            Interfere(name, http) ? Results.Empty : Results.Bytes(Files[name], "application/octet-stream"));
    }

    /// <summary>Writes the files and the signature as an export does.</summary>
    public void Write(string folder, string keyPath)
    {
        foreach ((string name, byte[] bytes) in Files) File.WriteAllBytes(Path.Combine(folder, name), bytes);
        File.WriteAllBytes(Path.Combine(folder, "model.sig"), Signature);
        File.WriteAllText(keyPath, PublicKey);
    }
}
