using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using TinyLlm.Engine;
using TinyLlm.Grains.Residency;
using TinyLlm.Storage;
using TinyLlm.Tests;

namespace TinyLlm.Grains.Tests;

/// <summary>A model host over a real store and a simulated device, without a cluster. Its versions are encrypted, each under a key of its own, or not.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private static readonly SigningKey s_key = SigningKey.Parse(SigningKey.NewText());

    private readonly TempFolder _folder = new();
    private readonly bool _isEncrypted;

    public TestHost(long budgetBytes, bool encrypted = false, ObjectStore? store = null, ResidencyOptions? residency = null, TimeProvider? time = null, string device = "cpu")
    {
        _isEncrypted = encrypted;
        Store = store ?? new FileObjectStore(_folder.FullPath);
        Files = new ModelFiles(Store);
        Device = new SimulatedBackend(budgetBytes, device);
        Loop = new DeviceLoop(Device, new DeviceLoopOptions(), TimeProvider.System, NullLogger<DeviceLoop>.Instance);
        Host = new ModelHost(Files, Loop, Options.Create(residency ?? new ResidencyOptions()), time ?? TimeProvider.System, NullLogger<ModelHost>.Instance);
    }

    public ObjectStore Store { get; }

    public ModelFiles Files { get; }

    public SimulatedBackend Device { get; }

    public DeviceLoop Loop { get; }

    public ModelHost Host { get; }

    /// <summary>Stores and seals a model, the tiny one unless others are given, as a version of its own.</summary>
    public async Task<VersionAddress> StoreAsync(IReadOnlyDictionary<string, byte[]>? files = null, UserId? ofOwner = null)
    {
        (UserId owner, VersionId version) = (ofOwner ?? UserId.New(), VersionId.New());
        VersionKey? key = _isEncrypted ? new VersionKey(owner, "tiny", version, RandomNumberGenerator.GetBytes(32)) : null;
        foreach ((string name, byte[] bytes) in files ?? TinyModel.Files)
            await Files.AppendAsync(owner, version, ModelFileName.Parse(name), 0, new MemoryStream(bytes), bytes.Length, null, key, CancellationToken.None);
        ModelManifest manifest = await Files.SealAsync(owner, version, key, CancellationToken.None);
        byte[] signature = SignedManifest.Sign("tiny", manifest, s_key);
        await Files.WriteSignatureAsync(owner, version, signature, CancellationToken.None);
        return new VersionAddress(owner, version, manifest.Digest.Hex, SignedManifest.DigestOf(signature), s_key.PublicKey.Info, key);
    }

    public async Task<VersionAddress[]> StoreAsync(int count) => await Task.WhenAll(Enumerable.Range(0, count).Select(_ => StoreAsync()));

    /// <summary>Loads a model and lets go of it.</summary>
    public async Task TouchAsync(VersionAddress address) => (await Host.AcquireAsync(address, CancellationToken.None)).Dispose();

    /// <summary>Whether a version is in memory: only then does it need no files.</summary>
    public async Task<bool> IsResidentAsync(VersionAddress address)
    {
        await Files.DeleteAsync(address.Owner, address.Version, CancellationToken.None);
        try
        {
            await TouchAsync(address);
            return true;
        }
        catch (Errors.RequestException refusal) when (refusal.Error == Errors.RequestError.NotFound)
        {
            return false;
        }
    }

    public static GenerationRequest Request(int promptTokens, int newTokens) => new()
    {
        PromptIds = [.. Enumerable.Repeat(3, promptTokens)],
        Sampling = new SamplingOptions { Temperature = 0 },
        MaxNewTokens = newTokens,
        StopIds = [],
        Caller = "caller",
    };

    public async ValueTask DisposeAsync()
    {
        Device.Open();
        await Loop.DisposeAsync();
        Host.Dispose();
        _folder.Dispose();
    }
}
