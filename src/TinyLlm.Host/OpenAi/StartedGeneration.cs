using TinyLlm.Grains.Models;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;

namespace TinyLlm.Host.OpenAi;

/// <summary>A generation that was admitted: the version that serves it, and its events. Disposing it ends it.</summary>
internal sealed class StartedGeneration(PublishedVersion version, RoutedSession session) : IAsyncDisposable
{
    /// <summary>"owner/model", as answers name it.</summary>
    public string ModelId { get; } = $"{version.Owner}/{version.Model}";

    public int PromptTokens => session.Admitted.PromptTokens;

    public IAsyncEnumerator<SessionEvent> Events => session.Events;

    public ValueTask DisposeAsync() => session.DisposeAsync();
}
