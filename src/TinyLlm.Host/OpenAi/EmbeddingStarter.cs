using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Access;
using TinyLlm.Host.Models;
using TinyLlm.Host.Streams;

namespace TinyLlm.Host.OpenAi;

/// <summary>
/// Steps 2 and 3 of a request's life for embeddings: the owner's lease and the caller's limits, as for a stream, then a model session. It is cut
/// when the right to it ends, and settled however it ends.
/// </summary>
internal sealed class EmbeddingStarter(RunningStreams streams, SessionRouter router)
{
    private const int CharactersPerToken = 4;

    /// <summary>The vectors, the model as answers name it, and whether it is the caller's own.</summary>
    public async Task<(EmbeddingAnswer Answer, string ModelId, bool IsOwn)> EmbedAsync(HttpContext http, Caller caller, EmbeddingFields fields)
    {
        long estimate = fields.Inputs.Sum(input => input.Ids?.Length ?? (input.Text!.Length + CharactersPerToken - 1) / CharactersPerToken); // one of the two is set
        await using RunningStream stream = await streams.OpenAsync(http, caller, ModelName.Parse(fields.Model), new StreamSize(estimate, MaxTokens: 0));
        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stream.Cut);
        try
        {
            EmbeddingSpec spec = new() { Inputs = fields.Inputs, KeepAlive = fields.KeepAlive };
            EmbeddingAnswer answer = await router.CallAsync(stream.Granted.Lease, session => session.Embed(stream.Granted.Lease, spec, ended.Token), ended.Token);
            stream.CountPrompt(answer.PromptTokens);
            return (answer, $"{stream.Granted.Version.Owner}/{stream.Granted.Version.Model}", stream.IsOwn);
        }
        catch (OperationCanceledException) when (stream.Cut.IsCancellationRequested)
        {
            throw RunningStream.Refusal();
        }
    }
}
