using TinyLlm.Grains.Residency;

namespace TinyLlm.Grains.Sessions;

/// <summary>
/// Renders chat templates, tokenizes and compiles schemas, off the grain scheduler and on no more than one worker per core, so that long prompts of one
/// caller neither starve the silo's calls nor each other's memory.
/// </summary>
public sealed class PromptWorkers : IDisposable
{
    private readonly SemaphoreSlim _places = new(Environment.ProcessorCount);

    internal Task<PreparedPrompt> PrepareAsync(LoadedModel model, string caller, SessionRequest request, CancellationToken cancellationToken) =>
        RunAsync(() => PromptPreparation.Prepare(model, caller, request), cancellationToken);

    /// <summary>Runs <paramref name="work"/> when there is a place for it.</summary>
    internal async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(work, cancellationToken);
        }
        finally
        {
            _places.Release();
        }
    }

    public void Dispose() => _places.Dispose();
}
