using TinyLlm.Grains.Models;
using TinyLlm.Grains.Replicas;
using TinyLlm.Grains.Sessions;
using TinyLlm.Host.Streams;
using TinyLlm.Host.Telemetry;

namespace TinyLlm.Host.OpenAi;

/// <summary>A generation that was admitted: the version that serves it, and its events, which are counted on their way. Disposing it ends it.</summary>
internal sealed class StartedGeneration : IAsyncDisposable
{
    private readonly RoutedSession _session;
    private readonly RunningStream _stream;
    private readonly CancellationTokenSource _ended;

    /// <param name="session">The session, reading until <paramref name="ended"/> is cancelled.</param>
    /// <param name="stream">What it counts as, and what may cut it.</param>
    /// <param name="ended">Disposed with it.</param>
    /// <param name="timer">Sees its events.</param>
    public StartedGeneration(RoutedSession session, RunningStream stream, CancellationTokenSource ended, GenerationTimer timer)
    {
        (_session, _stream, _ended) = (session, stream, ended);
        PublishedVersion version = stream.Granted.Version;
        ModelId = $"{version.Owner}/{version.Model}";
        Events = new MeteredEvents(session.Events, stream, timer);
        stream.CountPrompt(session.Admitted.PromptTokens);
    }

    /// <summary>"owner/model", as answers name it.</summary>
    public string ModelId { get; }

    /// <summary>Whether the caller is the model's owner.</summary>
    public bool IsOwn => _stream.IsOwn;

    /// <summary>Cancelled when the right to it was withdrawn.</summary>
    public CancellationToken Cut => _stream.Cut;

    public int PromptTokens => _session.Admitted.PromptTokens;

    public IAsyncEnumerator<SessionEvent> Events { get; }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _session.DisposeAsync();
        }
        finally
        {
            _ended.Dispose();
            await _stream.DisposeAsync();
        }
    }
}
