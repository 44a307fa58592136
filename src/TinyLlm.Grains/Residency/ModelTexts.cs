using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Models;
using TinyLlm.Storage;
using TinyLlm.Text;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// Tokenizers and chat templates without their weights, for whoever only counts tokens: the few used last stay. One load however many ask. Knows
/// no user rules: who may use a model was decided before.
/// </summary>
internal sealed class ModelTexts(ModelFiles store)
{
    // A large vocabulary takes some 50 MB in memory. A choice: the models that several clients count tokens for at the same time.
    private const int MaxKept = 4;

    private readonly Lock _gate = new();
    private readonly LinkedList<(VersionAddress Address, Task<(Tokenizer, ChatTemplate)> Loading)> _byUse = new(); // the last used first

    /// <summary>What makes text of a version's tokens. A caller that gives up leaves the load to the others.</summary>
    public async Task<(Tokenizer Tokenizer, ChatTemplate Template)> GetAsync(VersionAddress address, CancellationToken cancellationToken)
    {
        Task<(Tokenizer, ChatTemplate)> loading = Find(address);
        try
        {
            return await loading.WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (loading.IsFaulted)
        {
            Forget(loading);
            // The owner deleted the version after the lease was given: from now on it is one that does not exist.
            if (exception is StoreException { Error: StoreError.NotFound }) throw RequestException.NotFound("model");
            if (exception is StoreException { Error: StoreError.Damaged }) throw ModelHost.Damaged();
            throw;
        }
    }

    private Task<(Tokenizer, ChatTemplate)> Find(VersionAddress address)
    {
        lock (_gate)
        {
            for (var node = _byUse.First; node is not null; node = node.Next)
            {
                if (node.Value.Address != address) continue;
                _byUse.Remove(node);
                _byUse.AddFirst(node);
                return node.Value.Loading;
            }
            Task<(Tokenizer, ChatTemplate)> loading = Task.Run(() => LoadAsync(address)); // observed by every caller that awaits it
            _byUse.AddFirst((address, loading));
            if (_byUse.Count > MaxKept) _byUse.RemoveLast();
            return loading;
        }
    }

    private void Forget(Task loading)
    {
        lock (_gate)
        {
            for (var node = _byUse.First; node is not null; node = node.Next)
            {
                if (node.Value.Loading != loading) continue;
                _byUse.Remove(node);
                return;
            }
        }
    }

    private async Task<(Tokenizer, ChatTemplate)> LoadAsync(VersionAddress address)
    {
        VersionFiles files = new(store, address.Owner, address.Version, address.Key);
        ModelManifest manifest = await files.ReadManifestAsync(address, CancellationToken.None);
        HashSet<string> names = [.. manifest.Files.Select(file => file.Name.Value)];
        Tokenizer tokenizer = await ModelText.LoadTokenizerAsync(files, names, CancellationToken.None);
        return (tokenizer, await ModelText.LoadTemplateAsync(files, names, CancellationToken.None) ?? ChatTemplate.Plain);
    }
}
