using TinyLlm.Engine;
using TinyLlm.Grains.Errors;

namespace TinyLlm.Grains.Residency;

/// <summary>
/// One user of a resident model: while it is held, the model is not evicted. Generations that were started through it keep the hold until
/// the engine let go of their tensors, even when the holder is long gone.
/// </summary>
internal sealed class ResidentHold(LoadedModel model, DeviceLoop loop, Action release) : IDisposable
{
    private Action? _release = release;
    private readonly List<Generation> _generations = [];

    public LoadedModel Model => model;

    /// <summary>Starts a generation. Not to be called once the hold is being disposed.</summary>
    public Generation Start(GenerationRequest request)
    {
        try
        {
            Generation generation = loop.Start(model.Weights, request);
            _generations.Add(generation);
            return generation;
        }
        catch (EngineBusyException busy)
        {
            throw new RequestException(RequestError.NoCapacity, "The accelerator's queue is full: try again soon.") { RetryAfter = busy.RetryAfter };
        }
        catch (ArgumentException)
        {
            // The prompt fits the model's context, so what is left to refuse is the cache's size.
            throw new RequestException(
                RequestError.NoCapacity, "The cache for this many tokens is larger than the accelerator's budget: lower max_tokens; no repeat will help.");
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _release, null) is not { } release) return;
        foreach (Generation generation in _generations) generation.Cancel(); // after the end it does nothing
        // Nobody awaits this: the release can't fail, and Completion never faults. Without a generation it is released at once.
        _ = Task.WhenAll(_generations.Select(generation => generation.Completion)).ContinueWith(
            static (_, state) => ((Action)state!)(), release, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
