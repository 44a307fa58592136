using System.Collections.Immutable;
using Orleans.Concurrency;
using TinyLlm.Grains.Access;
using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// Generates from one version of a model on a silo that has an accelerator. Has no durable state; the weights belong to the silo. Key:
/// <see cref="SessionKey"/>.
/// </summary>
[Alias("tinyllm.IModelSessionGrain")]
public interface IModelSessionGrain : IGrainWithStringKey
{
    /// <summary>
    /// Generates. The lease decides, and nothing else of the call. Ending the enumeration, or cancelling it, ends the generation and frees
    /// its place within two engine steps.
    /// </summary>
    [Alias("Generate")]
    IAsyncEnumerable<SessionEvent> Generate(ModelLease lease, SessionRequest request, CancellationToken cancellationToken = default);

    /// <summary>Embeds texts. The lease decides, and nothing else of the call. A text over the model's context is refused.</summary>
    [Alias("Embed")]
    [AlwaysInterleave]
    [ResponseTimeout("00:10:00")] // many texts wait their turn as long as an answer would
    Task<EmbeddingAnswer> Embed(ModelLease lease, EmbeddingSpec spec, CancellationToken cancellationToken = default);

    /// <summary>Brings the model into memory, where the session is. Whether it was not there.</summary>
    [Alias("Load")]
    [AlwaysInterleave]
    [ResponseTimeout("00:10:00")] // as long as the store takes
    Task<bool> Load(ModelLease lease, KeepAlive? keepAlive, CancellationToken cancellationToken = default);

    /// <summary>The ids of a prompt, as a generation would see it. Needs the model's tokenizer and not its weights.</summary>
    [Alias("Tokenize")]
    [AlwaysInterleave]
    Task<TokenizeAnswer> Tokenize(ModelLease lease, TokenizeSpec spec, CancellationToken cancellationToken = default);

    /// <summary>The text of ids.</summary>
    [Alias("Detokenize")]
    [AlwaysInterleave]
    Task<string> Detokenize(ModelLease lease, ImmutableArray<int> ids, CancellationToken cancellationToken = default);
}
