using TinyLlm.Grains.Models;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Streams;

namespace TinyLlm.Host.OpenAi;

/// <summary>A generation that was admitted: the version that serves it, and its events. Disposing it ends it.</summary>
internal sealed class StartedGeneration(
    PublishedVersion version, int promptTokens, IAsyncEnumerator<SessionEvent> events, RunningStream stream, CancellationTokenSource ended) : IAsyncDisposable
{
    /// <summary>"owner/model", as answers name it.</summary>
    public string ModelId { get; } = $"{version.Owner}/{version.Model}";

    public int PromptTokens => promptTokens;

    public IAsyncEnumerator<SessionEvent> Events => events;

    public async ValueTask DisposeAsync()
    {
        try
        {
            await events.DisposeAsync();
        }
        finally
        {
            ended.Dispose();
            await stream.DisposeAsync();
        }
    }
}
