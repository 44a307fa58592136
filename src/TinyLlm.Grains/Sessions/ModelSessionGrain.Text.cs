using System.Collections.Immutable;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Errors;
using TinyLlm.Grains.Residency;
using TinyLlm.Grains.Usage;
using TinyLlm.Text;

namespace TinyLlm.Grains.Sessions;

/// <summary>What a session does besides generating: embeddings, through the engine, and tokens, without it.</summary>
internal sealed partial class ModelSessionGrain
{
    public async Task<EmbeddingAnswer> Embed(ModelLease lease, EmbeddingSpec spec, CancellationToken cancellationToken = default)
    {
        using IDisposable place = drain.TryEnter() ?? throw Leaving();
        Verify(lease);
        using ResidentHold hold = await host.AcquireAsync(VersionAddress.Of(lease), Stay.Of(lease, spec.KeepAlive), cancellationToken);
        ImmutableArray<ImmutableArray<int>> ids = await workers.RunAsync(() => EmbeddingInputs.ToIds(hold.Model, spec), cancellationToken);
        SessionUsage usage = new(meter, lease);
        ImmutableArray<ImmutableArray<float>> vectors = await EmbeddingBatch.RunAsync(hold, lease.Caller.Value, ids, usage, cancellationToken);
        return new EmbeddingAnswer { Vectors = vectors, PromptTokens = ids.Sum(text => text.Length) };
    }

    public async Task<bool> Load(ModelLease lease, KeepAlive? keepAlive, CancellationToken cancellationToken = default)
    {
        using IDisposable place = drain.TryEnter() ?? throw Leaving();
        Verify(lease);
        bool isResident = host.IsResident(lease.Version);
        using ResidentHold hold = await host.AcquireAsync(VersionAddress.Of(lease), Stay.Of(lease, keepAlive), cancellationToken);
        return !isResident;
    }

    public async Task<TokenizeAnswer> Tokenize(ModelLease lease, TokenizeSpec spec, CancellationToken cancellationToken = default)
    {
        Verify(lease);
        (Tokenizer tokenizer, ChatTemplate template) = await texts.GetAsync(VersionAddress.Of(lease), cancellationToken);
        return await workers.RunAsync(() => PromptText.Tokenize(tokenizer, template, spec), cancellationToken);
    }

    public async Task<string> Detokenize(ModelLease lease, ImmutableArray<int> ids, CancellationToken cancellationToken = default)
    {
        Verify(lease);
        (Tokenizer tokenizer, _) = await texts.GetAsync(VersionAddress.Of(lease), cancellationToken);
        foreach (int id in ids)
        {
            if (id >= 0 && id < tokenizer.VocabularySize) continue;
            throw new RequestException(RequestError.Malformed, $"tokens: the id {id} is outside of the tokenizer's, 0 to {tokenizer.VocabularySize - 1}.") { Parameter = "tokens" };
        }
        return await workers.RunAsync(() => tokenizer.Decode(ids.AsSpan(), skipSpecialTokens: false), cancellationToken);
    }
}
