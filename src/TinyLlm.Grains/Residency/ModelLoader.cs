using TinyLlm.Engine;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;
using TinyLlm.Text;

namespace TinyLlm.Grains.Residency;

/// <summary>Brings one model version from the store into memory: its signed manifest first, and only what that names.</summary>
internal sealed class ModelLoader(ModelFiles store, DeviceLoop loop)
{
    /// <summary>
    /// Loads. <paramref name="reserve"/> is called with the bytes of the weights before they are taken; they are given back if the load
    /// fails, and by <see cref="UnloadAsync"/>.
    /// </summary>
    public async Task<LoadedModel> LoadAsync(VersionAddress address, Func<long, Task> reserve)
    {
        VersionFiles files = new(store, address.Owner, address.Version);
        ModelManifest manifest = await files.ReadManifestAsync(address, CancellationToken.None);
        HashSet<string> names = [.. manifest.Files.Select(file => file.Name.Value)];
        Tokenizer tokenizer = await ModelText.LoadTokenizerAsync(files, names, CancellationToken.None);
        ChatTemplate? template = await ModelText.LoadTemplateAsync(files, names, CancellationToken.None);

        // The decoder keeps the files mapped for itself.
        using Checkpoint checkpoint = Checkpoint.Open(files.RequireLocalFolder());
        long weightBytes = loop.WeightBytes(checkpoint.Config);
        await reserve(weightBytes);
        try
        {
            ResidentModel weights = await loop.LoadAsync(checkpoint, CancellationToken.None);
            return new LoadedModel(weights, weightBytes, tokenizer, template ?? ChatTemplate.Plain);
        }
        catch
        {
            loop.Budget.Release(weightBytes);
            throw;
        }
    }

    /// <summary>Frees the weights, and then their bytes.</summary>
    public async Task UnloadAsync(LoadedModel model)
    {
        await loop.UnloadAsync(model.Weights);
        loop.Budget.Release(model.ReservedBytes);
    }
}
