using TinyLlm.Engine;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;
using TinyLlm.Text;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// Brings one model version from the store into memory: its signed manifest first, and only what that names. Where the machine's memory still has it, nothing is read.
/// </summary>
internal sealed class ModelLoader(ModelFiles store, DeviceLoop loop, HostTier? tier)
{
    /// <summary>Of the device whose budget is this machine's memory, where buffers lie too.</summary>
    public const string CpuKind = "cpu";

    /// <summary>
    /// Loads. <paramref name="reserve"/> is called with the most bytes that the weights take while they are loaded, before they are taken; those
    /// that a loaded model keeps are given back by <see cref="UnloadAsync"/>, the others at once, and all if the load fails.
    /// </summary>
    public async Task<LoadedModel> LoadAsync(VersionAddress address, Func<long, Task> reserve, CancellationToken cancellationToken)
    {
        if (tier?.TryTake(address) is { } copy)
        {
            try
            {
                return await LoadAsync(copy, reserve, cancellationToken);
            }
            finally
            {
                tier.Release(copy);
            }
        }
        VersionFiles files = new(store, address.Owner, address.Version, address.Key);
        ModelManifest manifest = await files.ReadManifestAsync(address, cancellationToken);
        HashSet<string> names = [.. manifest.Files.Select(file => file.Name.Value)];
        Tokenizer tokenizer = await ModelText.LoadTokenizerAsync(files, names, cancellationToken);
        ChatTemplate template = await ModelText.LoadTemplateAsync(files, names, cancellationToken) ?? ChatTemplate.Plain;

        using WeightLoader loader = new(files, names);
        CheckpointPlan plan = await loader.PlanAsync(cancellationToken);
        long weightBytes = loop.WeightBytes(plan.Config);
        long passingBytes = loader.IsMapped || loop.Device.Kind != CpuKind ? 0 : plan.ConvertedBytes(weightBytes);
        long reservedBytes = weightBytes + passingBytes;
        await reserve(reservedBytes);
        try
        {
            // The decoder keeps the memory for itself, if it uses it in place.
            Checkpoint checkpoint = await loader.LoadAsync(plan, cancellationToken);
            ResidentModel weights;
            bool isKept = false;
            try
            {
                weights = await loop.LoadAsync(checkpoint, LowPriorityThreads.RunAloneAsync, cancellationToken);
                isKept = tier?.TryKeep(address, checkpoint, tokenizer, template) == true;
            }
            finally
            {
                if (!isKept) checkpoint.Dispose();
            }
            if (checkpoint.IsReleased)
            {
                loop.Budget.Release(passingBytes);
                reservedBytes -= passingBytes;
            }
            return new LoadedModel(weights, reservedBytes, tokenizer, template);
        }
        catch
        {
            loop.Budget.Release(reservedBytes);
            throw;
        }
    }

    /// <summary>Frees the weights, and then their bytes.</summary>
    public async Task UnloadAsync(LoadedModel model)
    {
        await loop.UnloadAsync(model.Weights);
        loop.Budget.Release(model.ReservedBytes);
    }

    /// <summary>The same of what is in the machine's memory.</summary>
    private async Task<LoadedModel> LoadAsync(HostCopy copy, Func<long, Task> reserve, CancellationToken cancellationToken)
    {
        long weightBytes = loop.WeightBytes(copy.Checkpoint.Config);
        await reserve(weightBytes);
        try
        {
            return new LoadedModel(await loop.LoadAsync(copy.Checkpoint, LowPriorityThreads.RunAloneAsync, cancellationToken), weightBytes, copy.Tokenizer, copy.Template);
        }
        catch
        {
            loop.Budget.Release(weightBytes);
            throw;
        }
    }
}
